//! Starting other programs: what they were, how they ended, and whether they are there at all.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread::{self, ScopedJoinHandle};

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

/// Runs commands two at a time, those that take longest first; what each said is shown when it has ended. All run, also
/// if one fails.
///
/// For programs that keep one processor busy.
pub(crate) fn run_in_pairs(commands: Vec<Command>) -> Result<()> {
    let (waiting, failed) = (Mutex::new(commands.into_iter()), Mutex::new(Vec::new()));
    let lane = || {
        while let Some(mut command) = { waiting.lock().expect("no lane panics").next() } {
            let output = command.output();
            let mut failed = failed.lock().expect("no lane panics");
            eprintln!("{}", shown(&command));
            match output {
                Ok(output) => {
                    eprint!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
                    if !output.status.success() {
                        failed.push(format!("{} ended with {}", shown(&command), output.status));
                    }
                }
                Err(error) => failed.push(format!("{} could not be started: {error}", shown(&command))),
            }
        }
    };
    thread::scope(|scope| {
        [(); 2].map(|()| scope.spawn(lane)).map(ScopedJoinHandle::join).map(|lane| lane.expect("no lane panics"))
    });
    let failed = failed.into_inner().expect("no lane panics");
    if !failed.is_empty() {
        bail!("{}", failed.join("; "));
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
    use std::fs;

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
    fn of_commands_in_pairs_all_run_and_all_failures_are_named() {
        let folder = env::temp_dir().join(format!("showdesk-pairs-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let shell = |words: &str| {
            let mut shell = command("sh", &folder);
            shell.args(["-c", words]);
            shell
        };
        run_in_pairs(vec![shell("touch one"), shell("touch two"), shell("touch three")]).unwrap();
        assert!(["one", "two", "three"].iter().all(|name| folder.join(name).is_file()));
        let error = run_in_pairs(vec![shell("exit 3"), shell("touch four"), command("no-such-program", &folder)]);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("exit 3") && error.contains("no-such-program"), "{error}");
        assert!(!error.contains("four") && folder.join("four").is_file(), "{error}");
        fs::remove_dir_all(&folder).unwrap();
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
