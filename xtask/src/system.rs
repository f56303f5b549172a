//! Debian's packages: which are missing, and installing them when we may.

use std::path::Path;

use anyhow::{Result, bail};

use crate::command::{command, find, run, succeeds};

/// What the desktop window is built with, and what its icon in the tray is shown with.
pub(crate) const TO_BUILD: &[&str] = &["libwebkit2gtk-4.1-dev", "libayatana-appindicator3-1"];

/// What the tests need beside that: a browser and what puts a certificate into its store, a window without a screen, a
/// notification service, a keychain, a database, a clock that can be set for one program, and a place for the Python
/// programs that others send messages with.
pub(crate) const TO_TEST: &[&str] = &[
    "libwebkit2gtk-4.1-dev",
    "libayatana-appindicator3-1",
    "webkit2gtk-driver",
    "xvfb",
    "dbus",
    "python3-dbusmock",
    "gnome-keyring",
    "postgresql",
    "chromium",
    "libnss3-tools",
    "libfaketime",
    "python3-venv",
];

/// What makes disks, clocks and calls fail, and what makes senseless requests.
pub(crate) const TO_BREAK: &[&str] = &["strace", "libfaketime", "xfsprogs", "e2fsprogs", "postgresql", "python3-venv"];

/// What the pictures of the screens are taken with: a clock of their own, a phone's letters, and small files.
pub(crate) const TO_PICTURE: &[&str] = &["libfaketime", "fonts-roboto-unhinted", "pngquant", "chromium"];

/// What draws icons.
pub(crate) const TO_DRAW: &[&str] = &["librsvg2-bin"];

/// Installs the packages that are missing, or says what to type.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    if find("dpkg-query").is_none() {
        eprintln!("This is not Debian or a relative of it; these packages or their like must be there:");
        eprintln!("  {}", packages.join(" "));
        return Ok(());
    }
    let missing = missing(packages, installed);
    if missing.is_empty() {
        eprintln!("nothing is missing");
        return Ok(());
    }
    let Some(apt) = apt_words() else {
        bail!("{}", to_type(&missing));
    };
    apt_get(&apt, &["update"])?;
    let mut words = vec!["install", "--yes", "--no-install-recommends"];
    words.extend(&missing);
    apt_get(&apt, &words)
}

/// The packages that are not installed.
fn missing<'a>(packages: &[&'a str], installed: impl Fn(&str) -> bool) -> Vec<&'a str> {
    packages.iter().copied().filter(|package| !installed(package)).collect()
}

fn installed(package: &str) -> bool {
    let query =
        command("dpkg-query", Path::new("/")).args(["--show", "--showformat=${db:Status-Status}", package]).output();
    query.is_ok_and(|answer| answer.stdout == b"installed")
}

/// How to call apt-get: as root, or by a sudo that asks nothing.
fn apt_words() -> Option<Vec<&'static str>> {
    let environment = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    if is_root() {
        return Some(environment.to_vec());
    }
    let sudo = find("sudo").is_some() && succeeds(command("sudo", Path::new("/")).args(["-n", "true"]));
    sudo.then(|| [&["sudo", "-n"], environment.as_slice()].concat())
}

fn apt_get(apt: &[&str], words: &[&str]) -> Result<()> {
    let (program, first) = apt.split_first().expect("apt_words names a program");
    run(command(program, Path::new("/")).args(first).args(words))
}

/// The one line a person types when we may not install.
fn to_type(missing: &[&str]) -> String {
    format!("packages are missing; type:\n  sudo apt-get install --no-install-recommends {}", missing.join(" "))
}

/// Whether this runs as root.
pub(crate) fn is_root() -> bool {
    command("id", Path::new("/")).arg("-u").output().is_ok_and(|answer| answer.stdout == b"0\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_asked_for() {
        assert_eq!(missing(&["xvfb", "dbus"], |package| package == "dbus"), ["xvfb"]);
        assert_eq!(
            to_type(&["xvfb"]),
            "packages are missing; type:\n  sudo apt-get install --no-install-recommends xvfb"
        );
    }

    #[test]
    fn a_package_that_does_not_exist_is_not_installed() {
        assert!(!installed("showdesk-no-such-package"));
    }
}
