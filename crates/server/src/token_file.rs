//! Keeps the desk's token in the data folder for programs of the same user.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// The file's name in the data folder.
const FILE: &str = "admin.token";

/// Writes the token under another name first, so that a reader finds the old one or the new one and never a part.
pub(crate) fn write(folder: &Path, token: &str) -> std::io::Result<()> {
    let beside = folder.join(format!("{FILE}.new"));
    // A file left by a crash may have other rights: `mode` counts only when the file is made.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(token.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, folder.join(FILE))?;
    File::open(folder)?.sync_all()
}

/// The token of an earlier start, if one was kept.
pub(crate) fn read(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join(FILE)).ok()?;
    Some(text.trim().to_owned()).filter(|token| !token.is_empty())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_file_holds_the_newest_token_and_is_private() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("admin.token.new"), "left by a crash").expect("written");
        assert_eq!(read(folder.path()), None);
        for token in ["lsd_one", "lsd_two"] {
            write(folder.path(), token).expect("written");
            let file = folder.path().join(FILE);
            assert_eq!(read(folder.path()).as_deref(), Some(token));
            assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 1);
    }
}
