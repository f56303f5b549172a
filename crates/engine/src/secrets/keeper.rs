//! Where the vault key lies: in the keychain of the laptop's user, else in a file that only that user reads.
//!
//! A keychain may be missing, locked behind a question nobody sees, or hang: it is asked on a thread of its own and
//! waited for only so long.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::vault::VaultKey;
use crate::sidecar::sync_folder;
use crate::{EngineError, Result};

/// The file in the data folder.
const FILE: &str = "vault.key";
/// What the entry is called in a keychain.
const SERVICE: &str = "Showdesk";
/// A keychain has so long to answer.
const KEYCHAIN_TIME: Duration = Duration::from_secs(4);

/// Where the vault key shall lie.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum KeysIn {
    /// In the keychain if there is one, else in the file.
    #[default]
    Auto,
    /// In the file of the data folder.
    File,
    /// In the keychain, or nowhere.
    Keychain,
}

/// Where the vault key lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptIn {
    /// In the keychain of the laptop's user.
    Keychain,
    /// In a file of the data folder.
    File,
    /// Not on this laptop, or nothing was kept yet.
    Nowhere,
}

impl KeptIn {
    /// The word of the protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keychain => "keychain",
            Self::File => "file",
            Self::Nowhere => "nowhere",
        }
    }
}

/// Keeps secrets for the user of the laptop. May block, also for long.
pub trait Keychain: Send + Sync + 'static {
    /// What is kept for this account; none if nothing is. The error is for people who look after the laptop.
    fn get(&self, account: &str) -> std::result::Result<Option<Vec<u8>>, String>;

    /// Keeps it for this account, in the place of what was kept.
    fn set(&self, account: &str, secret: &[u8]) -> std::result::Result<(), String>;
}

/// The keychain of the system: Keychain, Credential Manager, or a Secret Service on the user's D-Bus.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemKeychain;

impl Keychain for SystemKeychain {
    fn get(&self, account: &str) -> std::result::Result<Option<Vec<u8>>, String> {
        match keyring::Entry::new(SERVICE, account).and_then(|entry| entry.get_secret()) {
            Ok(secret) => Ok(Some(secret)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn set(&self, account: &str, secret: &[u8]) -> std::result::Result<(), String> {
        let kept = keyring::Entry::new(SERVICE, account).and_then(|entry| entry.set_secret(secret));
        kept.map_err(|error| error.to_string())
    }
}

/// Keys that lie on this laptop for the show.
pub(super) struct Found {
    pub(super) keys: Vec<(VaultKey, KeptIn)>,
    /// Why the keychain was not asked to the end.
    pub(super) fault: Option<String>,
}

/// Finds and keeps the vault key of one show.
#[derive(Clone)]
pub(super) struct Keeper {
    pub(super) folder: PathBuf,
    /// The show's name in a keychain.
    pub(super) account: String,
    pub(super) wish: KeysIn,
    pub(super) keychain: Arc<dyn Keychain>,
}

impl Keeper {
    /// The key in the file, then the one in the keychain: what was decided once stays.
    pub(super) async fn find(&self) -> Result<Found> {
        let mut keys = Vec::new();
        if self.wish != KeysIn::Keychain {
            keys.extend(read_file(&self.folder).map_err(|error| in_folder(&error))?.map(|key| (key, KeptIn::File)));
        }
        if self.wish == KeysIn::File {
            return Ok(Found { keys, fault: None });
        }
        let account = self.account.clone();
        match self.ask(move |keychain| keychain.get(&account)).await {
            Ok(secret) => {
                let key = secret.and_then(|secret| VaultKey::from_bytes(&secret));
                keys.extend(key.map(|key| (key, KeptIn::Keychain)));
                Ok(Found { keys, fault: None })
            }
            Err(fault) => Ok(Found { keys, fault: Some(fault) }),
        }
    }

    /// Keeps a key where it shall lie. A keychain that did not answer before is not asked again.
    pub(super) async fn keep(&self, key: VaultKey, keychain_answers: bool) -> Result<(VaultKey, KeptIn)> {
        let told = match self.wish {
            KeysIn::Auto | KeysIn::Keychain if keychain_answers => self.tell(&key).await,
            KeysIn::Auto | KeysIn::Keychain => Err("it does not answer".to_owned()),
            KeysIn::File => Err("it is not wanted".to_owned()),
        };
        match (told, self.wish) {
            (Ok(()), _) => Ok((key, KeptIn::Keychain)),
            (Err(fault), KeysIn::Keychain) => {
                Err(EngineError::Folder(format!("the system's keychain cannot be used: {fault}")))
            }
            (Err(_), KeysIn::Auto | KeysIn::File) => {
                write_file(&self.folder, &key).map_err(|error| in_folder(&error))?;
                Ok((key, KeptIn::File))
            }
        }
    }

    /// Gives the key to the keychain and looks whether it is there: some forget what they were given.
    async fn tell(&self, key: &VaultKey) -> std::result::Result<(), String> {
        let (account, secret) = (self.account.clone(), key.bytes().to_vec());
        let kept = self.ask(move |keychain| {
            keychain.set(&account, &secret)?;
            Ok(keychain.get(&account)?.is_some_and(|kept| kept == secret))
        });
        if kept.await? { Ok(()) } else { Err("it does not keep what it is given".to_owned()) }
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Keychain) -> std::result::Result<T, String> + Send + 'static,
    ) -> std::result::Result<T, String> {
        let keychain = Arc::clone(&self.keychain);
        let (answer, answered) = oneshot::channel();
        // Not on a thread of the runtime, which waits for its threads when the program ends.
        let asking = std::thread::Builder::new().name("keychain".to_owned()).spawn(move || {
            // Whoever asked may have gone.
            let _ = answer.send(question(keychain.as_ref()));
        });
        asking.map_err(|error| error.to_string())?;
        match timeout(KEYCHAIN_TIME, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("it broke off".to_owned()),
            Err(_) => Err(format!("it did not answer within {} s", KEYCHAIN_TIME.as_secs())),
        }
    }
}

fn read_file(folder: &Path) -> io::Result<Option<VaultKey>> {
    let path = folder.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // A copied folder may have lost the file's rights.
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(STANDARD_NO_PAD.decode(text.trim()).ok().and_then(|bytes| VaultKey::from_bytes(&bytes)))
}

/// Written under another name first, so that a power cut leaves the old key or the new one. A file that does not
/// fit any more is kept beside it: perhaps somebody brings the database back that it opens.
fn write_file(folder: &Path, key: &VaultKey) -> io::Result<()> {
    let (path, beside) = (folder.join(FILE), folder.join(format!("{FILE}.new")));
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(&beside)?;
    writeln!(file, "{}", STANDARD_NO_PAD.encode(key.bytes()))?;
    file.sync_all()?;
    match fs::rename(&path, folder.join(format!("{FILE}.former"))) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(&beside, &path)?;
    sync_folder(folder)
}

fn in_folder(error: &io::Error) -> EngineError {
    EngineError::Folder(format!("{FILE}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Mutex;

    use super::*;

    /// A keychain in memory, or one that fails in some way.
    pub(super) enum Fake {
        Works(Mutex<HashMap<String, Vec<u8>>>),
        Forgets,
        Missing,
        Hangs,
    }

    impl Keychain for Fake {
        fn get(&self, account: &str) -> std::result::Result<Option<Vec<u8>>, String> {
            match self {
                Self::Works(kept) => Ok(kept.lock().expect("no panic").get(account).cloned()),
                Self::Forgets => Ok(None),
                Self::Missing => Err("there is no keychain".to_owned()),
                Self::Hangs => loop {
                    std::thread::park();
                },
            }
        }

        fn set(&self, account: &str, secret: &[u8]) -> std::result::Result<(), String> {
            match self {
                Self::Works(kept) => kept.lock().expect("no panic").insert(account.to_owned(), secret.to_vec()),
                Self::Forgets => None,
                Self::Missing | Self::Hangs => return self.get(account).map(|_| ()),
            };
            Ok(())
        }
    }

    fn keeper(folder: &Path, wish: KeysIn, keychain: Fake) -> Keeper {
        Keeper { folder: folder.to_owned(), account: "show".to_owned(), wish, keychain: Arc::new(keychain) }
    }

    #[tokio::test]
    async fn a_key_lies_in_the_keychain_and_no_file_is_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let keeper = keeper(folder.path(), KeysIn::Auto, Fake::Works(Mutex::default()));
        assert!(keeper.find().await.expect("it looks").keys.is_empty());
        let (key, kept_in) = keeper.keep(VaultKey::fresh(), true).await.expect("kept");
        assert_eq!(kept_in, KeptIn::Keychain);
        let found = keeper.find().await.expect("it looks").keys;
        assert!(found.len() == 1 && found[0].1 == KeptIn::Keychain && found[0].0.bytes() == key.bytes());
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 0);
    }

    #[tokio::test]
    async fn without_a_keychain_it_lies_in_a_private_file() {
        for keychain in [Fake::Missing, Fake::Forgets] {
            let folder = tempfile::tempdir().expect("a folder");
            let keeper = keeper(folder.path(), KeysIn::Auto, keychain);
            let (key, kept_in) = keeper.keep(VaultKey::fresh(), true).await.expect("kept");
            assert_eq!(kept_in, KeptIn::File);
            let file = folder.path().join(FILE);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let mode = |path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
                assert_eq!(mode(&file), 0o600);
                fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("changed");
                assert_eq!(keeper.find().await.expect("it looks").keys.len(), 1);
                assert_eq!(mode(&file), 0o600, "a copied file is private again");
            }
            assert_eq!(keeper.find().await.expect("it looks").keys[0].0.bytes(), key.bytes());
            keeper.keep(VaultKey::fresh(), false).await.expect("kept");
            assert!(folder.path().join("vault.key.former").exists(), "the key before is not lost");
        }
    }

    #[tokio::test]
    async fn who_wants_the_keychain_alone_gets_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let keeper = keeper(folder.path(), KeysIn::Keychain, Fake::Missing);
        assert!(keeper.keep(VaultKey::fresh(), true).await.is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_keychain_that_hangs_is_waited_for_only_so_long() {
        let folder = tempfile::tempdir().expect("a folder");
        let keeper = keeper(folder.path(), KeysIn::Auto, Fake::Hangs);
        let began = tokio::time::Instant::now();
        let found = keeper.find().await.expect("it looks");
        assert!(found.keys.is_empty() && found.fault.is_some_and(|fault| fault.contains("did not answer")));
        assert_eq!(keeper.keep(VaultKey::fresh(), false).await.expect("kept").1, KeptIn::File);
        assert!(began.elapsed() <= KEYCHAIN_TIME + Duration::from_millis(100), "{:?}", began.elapsed());
    }
}
