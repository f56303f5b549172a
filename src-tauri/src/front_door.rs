//! One window a data folder: a second start asks the first to come to the front, and ends.
//!
//! The first leaves an address and a key in the folder, where only its user can read them. No session bus and no name
//! of the program is needed, so two shows in two folders can be open side by side.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;
use uuid::Uuid;

/// The file in the data folder: the address, a blank, the key.
const FILE: &str = "window.door";
const ANSWER: &[u8] = b"ok\n";
/// The key's letters.
const KEY_BYTES: usize = 32;
/// Who knocks sends what the desktop gave it to come to the front; longer ones are not sent.
const ACTIVATION_BYTES_MAX: usize = 512;
/// A visitor who says nothing is not waited for.
const VISIT_TIME: Duration = Duration::from_secs(1);
/// Two starts at the same moment: the first needs this long to open its door.
const FIRST_START_TIME: Duration = Duration::from_secs(2);
const KNOCK_PAUSE: Duration = Duration::from_millis(50);

/// The way in for a second start. The file goes with it.
pub(crate) struct FrontDoor {
    listener: TcpListener,
    key: String,
    file: PathBuf,
}

impl FrontDoor {
    /// Opens the door of this folder.
    pub(crate) async fn open(folder: &Path) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (key, file) = (Uuid::new_v4().simple().to_string(), folder.join(FILE));
        write(&file, &format!("{} {key}", listener.local_addr()?))?;
        Ok(Self { listener, key, file })
    }

    /// Calls `come` for every second start, for ever. It is told what the desktop gave the second start so that
    /// the window may come to the front.
    pub(crate) async fn answer(self, come: impl Fn(Option<String>)) {
        loop {
            let visit = async {
                let (mut visitor, _) = self.listener.accept().await?;
                let asked = timeout(VISIT_TIME, read_line(&mut visitor)).await??;
                let Some(activation) = asked.strip_prefix(&self.key) else {
                    return Ok(());
                };
                come(Some(activation.trim().to_owned()).filter(|text| !text.is_empty()));
                timeout(VISIT_TIME, visitor.write_all(ANSWER)).await?
            };
            let visited: io::Result<()> = visit.await;
            if let Err(error) = visited {
                tracing::warn!(%error, "a second start could not be answered");
                tokio::time::sleep(KNOCK_PAUSE).await;
            }
        }
    }
}

impl Drop for FrontDoor {
    fn drop(&mut self) {
        // A door that stays behind leads nowhere, which a second start notices.
        let _ = fs::remove_file(&self.file);
    }
}

/// Asks the window that has this folder open to come to the front. False if there is none.
pub(crate) fn knock(folder: &Path, activation: Option<&str>) -> bool {
    visit(&folder.join(FILE), activation.unwrap_or_default()).unwrap_or(false)
}

/// As `knock`, for a folder that somebody has just opened: the door may come in a moment.
pub(crate) fn knock_patiently(folder: &Path, activation: Option<&str>) -> bool {
    let until = Instant::now() + FIRST_START_TIME;
    while !knock(folder, activation) {
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(KNOCK_PAUSE);
    }
    true
}

fn visit(file: &Path, activation: &str) -> io::Result<bool> {
    let text = fs::read_to_string(file)?;
    let Some((address, key)) = text.trim().split_once(' ') else { return Ok(false) };
    let Ok(address) = address.parse::<SocketAddr>() else { return Ok(false) };
    if !address.ip().is_loopback() || key.len() != KEY_BYTES {
        return Ok(false);
    }
    let mut door = TcpStream::connect_timeout(&address, VISIT_TIME)?;
    door.set_read_timeout(Some(VISIT_TIME))?;
    door.set_write_timeout(Some(VISIT_TIME))?;
    let fits = activation.len() <= ACTIVATION_BYTES_MAX && !activation.contains('\n');
    writeln!(door, "{key} {}", if fits { activation } else { "" })?;
    let mut answer = Vec::new();
    door.take(ANSWER.len() as u64).read_to_end(&mut answer)?;
    Ok(answer == ANSWER)
}

async fn read_line(visitor: &mut tokio::net::TcpStream) -> io::Result<String> {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') && line.len() < KEY_BYTES + ACTIVATION_BYTES_MAX + 2 {
        line.push(visitor.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// Writes the file for this user's eyes only.
fn write(file: &Path, text: &str) -> io::Result<()> {
    // `mode` counts only when the file is made.
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn folder() -> PathBuf {
        let folder = std::env::temp_dir().join(format!("showdesk-door-{}", Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        folder
    }

    async fn knocked(folder: &Path, activation: Option<&'static str>) -> bool {
        let folder = folder.to_owned();
        tokio::task::spawn_blocking(move || knock(&folder, activation)).await.unwrap()
    }

    #[tokio::test]
    async fn a_second_start_calls_the_first() {
        let folder = folder();
        assert!(!knocked(&folder, None).await, "nobody is there");
        let (calls, called) = mpsc::channel();
        let door = FrontDoor::open(&folder).await.unwrap();
        let answering = tokio::spawn(door.answer(move |activation| calls.send(activation).unwrap()));
        assert!(knocked(&folder, None).await);
        assert!(knocked(&folder, Some("token-1_TIME5")).await);
        assert_eq!(called.try_iter().collect::<Vec<_>>(), [None, Some("token-1_TIME5".to_owned())]);

        answering.abort();
        assert!(answering.await.unwrap_err().is_cancelled());
        assert!(!folder.join(FILE).exists(), "the door goes with the window");
        assert!(!knocked(&folder, None).await);
        fs::remove_dir(&folder).unwrap();
    }

    #[tokio::test]
    async fn who_has_no_key_is_not_heard() {
        let folder = folder();
        let (calls, called) = mpsc::channel();
        let door = FrontDoor::open(&folder).await.unwrap();
        let file = folder.join(FILE);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let own = fs::read_to_string(&file).unwrap();
        let answering = tokio::spawn(door.answer(move |activation| calls.send(activation).unwrap()));
        let (address, _) = own.split_once(' ').unwrap();
        for stranger in [format!("{address} {}", "0".repeat(KEY_BYTES)), address.to_owned(), "192.0.2.1:9 x".to_owned()]
        {
            fs::write(&file, stranger).unwrap();
            assert!(!knocked(&folder, None).await);
        }
        fs::write(&file, own).unwrap();
        assert!(knocked(&folder, None).await, "strangers do not close the door");
        assert_eq!(called.try_iter().count(), 1);
        answering.abort();
        let _ = answering.await;
        fs::remove_dir(&folder).unwrap();
    }
}
