//! Names of people and devices, as they can be shown.

use showdesk_domain::visible::visible_name;

use crate::{EngineError, Result};

const NAME_CHARS_MAX: usize = 200;
/// What a phone says that it is; longer words are cut.
const PLATFORM_CHARS_MAX: usize = 40;

/// A name on one line, without what cannot be seen.
pub(crate) fn clean_name(name: &str) -> Result<String> {
    let name = visible_name(name).ok_or_else(|| EngineError::invalid("required", "a name is needed"))?;
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(EngineError::invalid("too_large", "the name is too long"));
    }
    Ok(name)
}

/// What a phone says that it is: ios, android, web, ….
pub(crate) fn clean_platform(platform: &str) -> Option<String> {
    visible_name(platform).map(|platform| platform.chars().take(PLATFORM_CHARS_MAX).collect())
}
