//! Asks the system for enough open files: a desktop session begins with 1,024, and each connection is one.

/// All connections with their database, several times over.
#[cfg(unix)]
const FILES: u64 = 16_384;

/// Raises the soft limit, as far as the system allows. What it refuses costs connections, not the desk.
#[cfg(unix)]
pub(crate) fn allow_many() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(FILES, |most| most.min(FILES));
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    limit.current = Some(wanted);
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// The system has no such limit.
#[cfg(not(unix))]
pub(crate) fn allow_many() {}
