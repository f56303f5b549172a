//! Starting other programs: what they were, how they ended, and whether they are there at all.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// What `cargo run` tells this program about its own package. A cargo below that is told it too takes it for another
/// environment than a person's shell: ring and all that stands on it are then built anew on each change of hands.
const OF_THIS_PACKAGE: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];

/// A command to be started in the folder, with nothing to read.
pub(crate) fn command(program: impl AsRef<Path>, folder: &Path) -> Command {
    let mut command = Command::new(program.as_ref());
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in env::vars_os() {
        if OF_THIS_PACKAGE.iter().any(|start| name.as_encoded_bytes().starts_with(start.as_bytes())) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs it, its output going where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{} could not be started", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs it and answers what it printed on standard output.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{} could not be started", shown(command)))?;
    if !output.status.success() {
        bail!("{} ended with {}", shown(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} printed something else than text", shown(command)))
}

/// Runs it quietly and answers whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Where the program is on the path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_is_named_with_its_arguments() {
        let error = run(command("false", Path::new("/")).arg("--really")).unwrap_err();
        assert!(error.to_string().starts_with("false --really ended with"), "{error}");
    }

    #[test]
    fn a_missing_program_is_an_error_and_is_not_found() {
        assert!(run(&mut command("no-such-program", Path::new("/"))).is_err());
        assert_eq!(find("no-such-program"), None);
    }

    #[test]
    fn a_program_is_not_told_of_the_package_that_starts_it() {
        assert!(env::var_os("CARGO_PKG_NAME").is_some(), "the tests run under cargo");
        let told = read(&mut command("env", Path::new("/"))).unwrap();
        assert_eq!(told.lines().find(|line| OF_THIS_PACKAGE.iter().any(|start| line.starts_with(start))), None);
    }

    #[test]
    fn what_a_program_prints_is_read() {
        assert_eq!(read(command("echo", Path::new("/")).arg("tag")).unwrap(), "tag\n");
    }
}
