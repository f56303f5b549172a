//! Where the vault key lies: in the keychain of the laptop's user, else in a file that only that user reads.
//!
//! A keychain may be missing, locked behind a question nobody sees, or hang: it is asked on a thread of its own, one
//! question at a time, and waited for only so long.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::{Mutex, oneshot};
use tokio::time::timeout;

use super::vault::VaultKey;
use crate::sidecar::sync_folder;
use crate::{EngineError, Result};

/// The file in the data folder.
const FILE: &str = "vault.key";
/// A key that may become the vault's: the database does not say so yet.
const NEW_FILE: &str = "vault.key.new";
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

/// Where a new key lies, and why not in the keychain if that was wanted.
pub(super) struct Kept {
    pub(super) kept_in: KeptIn,
    pub(super) fault: Option<String>,
}

/// Finds and keeps the vault keys of one show. None is ever lost by it: perhaps somebody brings the database back that
/// an earlier one opens.
#[derive(Clone)]
pub(super) struct Keeper {
    folder: PathBuf,
    /// The show's name in a keychain.
    account: String,
    wish: KeysIn,
    keychain: Arc<dyn Keychain>,
    /// Held by the thread that asks. A keychain that hangs has one question of ours, not one more at each look.
    asking: Arc<Mutex<()>>,
}

impl Keeper {
    pub(super) fn new(folder: PathBuf, account: String, wish: KeysIn, keychain: Arc<dyn Keychain>) -> Self {
        Self { folder, account, wish, keychain, asking: Arc::default() }
    }

    /// The keys in files, and the one of that id in the keychain, which is asked only if no file has it.
    pub(super) async fn find(&self, id: Option<&[u8]>) -> Result<Found> {
        let mut keys = Vec::new();
        if self.wish != KeysIn::Keychain {
            let former = id.map(|id| former_name(&hex(id)));
            for name in [Some(FILE.to_owned()), Some(NEW_FILE.to_owned()), former].into_iter().flatten() {
                keys.extend(read_file(&self.folder, &name)?.map(|key| (key, KeptIn::File)));
            }
        }
        let is_there = |id: &[u8]| keys.iter().any(|(key, _)| key.id() == *id);
        let Some(id) = id.filter(|id| self.wish != KeysIn::File && !is_there(id)) else {
            return Ok(Found { keys, fault: None });
        };
        let account = self.account_of(id);
        match self.ask(move |keychain| keychain.get(&account)).await {
            Ok(secret) => {
                let key = secret.and_then(|secret| VaultKey::from_bytes(&secret));
                keys.extend(key.map(|key| (key, KeptIn::Keychain)));
                Ok(Found { keys, fault: None })
            }
            Err(fault) => Ok(Found { keys, fault: Some(fault) }),
        }
    }

    /// Keeps a new key where it shall lie, beside the keys that lie there: it takes no other's place before
    /// [`Keeper::put_in_place`]. Nowhere if only a keychain was wanted and there is none that keeps it.
    pub(super) async fn keep(&self, key: &VaultKey) -> Result<Kept> {
        let told = match self.wish {
            KeysIn::Auto | KeysIn::Keychain => self.tell(key).await.map_err(Some),
            KeysIn::File => Err(None),
        };
        match (told, self.wish) {
            (Ok(()), _) => Ok(Kept { kept_in: KeptIn::Keychain, fault: None }),
            (Err(fault), KeysIn::Keychain) => Ok(Kept { kept_in: KeptIn::Nowhere, fault }),
            (Err(fault), KeysIn::Auto | KeysIn::File) => {
                write_file(&self.folder, key).map_err(|error| in_folder(NEW_FILE, &error))?;
                Ok(Kept { kept_in: KeptIn::File, fault })
            }
        }
    }

    /// The key is the vault's: if its file is a new one, that becomes the usual one, and the one before is kept under
    /// its own name.
    pub(super) fn put_in_place(&self, key: &VaultKey, kept_in: KeptIn) -> Result<()> {
        let is_key = |other: VaultKey| other.id() == key.id();
        if kept_in != KeptIn::File || !read_file(&self.folder, NEW_FILE)?.is_some_and(is_key) {
            return Ok(());
        }
        let before = read_file(&self.folder, FILE)?.map_or_else(|| "unreadable".to_owned(), |key| hex(&key.id()));
        let path = |name: &str| self.folder.join(name);
        let moved = match fs::rename(path(FILE), path(&former_name(&before))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::rename(path(NEW_FILE), path(FILE)).and_then(|()| sync_folder(&self.folder)),
        };
        moved.map_err(|error| in_folder(FILE, &error))
    }

    /// Gives the key to the keychain and looks whether it is there: some forget what they were given.
    async fn tell(&self, key: &VaultKey) -> std::result::Result<(), String> {
        let (account, secret) = (self.account_of(&key.id()), key.bytes().to_vec());
        let kept = self.ask(move |keychain| {
            keychain.set(&account, &secret)?;
            Ok(keychain.get(&account)?.is_some_and(|kept| kept == secret))
        });
        if kept.await? { Ok(()) } else { Err("it does not keep what it is given".to_owned()) }
    }

    /// Each key has a name of its own: two data folders of one user may belong to one show.
    fn account_of(&self, id: &[u8]) -> String {
        format!("{}/{}", self.account, hex(id))
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Keychain) -> std::result::Result<T, String> + Send + 'static,
    ) -> std::result::Result<T, String> {
        let asked = async {
            let turn = Arc::clone(&self.asking).lock_owned().await;
            let keychain = Arc::clone(&self.keychain);
            let (answer, answered) = oneshot::channel();
            // Not on a thread of the runtime, which waits for its threads when the program ends.
            let asking = std::thread::Builder::new().name("keychain".to_owned()).spawn(move || {
                let said = question(keychain.as_ref());
                drop(turn);
                // Whoever asked may have gone.
                let _ = answer.send(said);
            });
            asking.map_err(|error| error.to_string())?;
            answered.await.map_err(|_| "it broke off".to_owned())?
        };
        let told = timeout(KEYCHAIN_TIME, asked).await;
        told.unwrap_or_else(|_| Err(format!("it did not answer within {} s", KEYCHAIN_TIME.as_secs())))
    }
}

fn read_file(folder: &Path, name: &str) -> Result<Option<VaultKey>> {
    let path = folder.join(name);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(in_folder(name, &error)),
    };
    // A copied folder may have lost the file's rights.
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .map_err(|error| in_folder(name, &error))?;
    Ok(STANDARD_NO_PAD.decode(text.trim()).ok().and_then(|bytes| VaultKey::from_bytes(&bytes)))
}

/// Written under another name, so that a power cut leaves the key that the vault has.
fn write_file(folder: &Path, key: &VaultKey) -> io::Result<()> {
    let beside = folder.join(NEW_FILE);
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
    sync_folder(folder)
}

/// The file of a key that was the vault's before.
fn former_name(id: &str) -> String {
    format!("{FILE}.former-{id}")
}

fn in_folder(name: &str, error: &io::Error) -> EngineError {
    EngineError::Folder(format!("{name}: {error}"))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A keychain in memory, or one that fails in some way.
    enum Fake {
        Works(std::sync::Mutex<HashMap<String, Vec<u8>>>),
        Forgets,
        Missing,
        /// Counts its questions.
        Hangs(Arc<AtomicUsize>),
    }

    impl Keychain for Fake {
        fn get(&self, account: &str) -> std::result::Result<Option<Vec<u8>>, String> {
            match self {
                Self::Works(kept) => Ok(kept.lock().expect("no panic").get(account).cloned()),
                Self::Forgets => Ok(None),
                Self::Missing => Err("there is no keychain".to_owned()),
                Self::Hangs(asked) => {
                    asked.fetch_add(1, Ordering::SeqCst);
                    loop {
                        std::thread::park();
                    }
                }
            }
        }

        fn set(&self, account: &str, secret: &[u8]) -> std::result::Result<(), String> {
            match self {
                Self::Works(kept) => kept.lock().expect("no panic").insert(account.to_owned(), secret.to_vec()),
                Self::Forgets => None,
                Self::Missing | Self::Hangs(_) => return self.get(account).map(|_| ()),
            };
            Ok(())
        }
    }

    fn keeper(folder: &Path, wish: KeysIn, keychain: Fake) -> Keeper {
        Keeper::new(folder.to_owned(), "show".to_owned(), wish, Arc::new(keychain))
    }

    async fn found(keeper: &Keeper, key: &VaultKey) -> Vec<KeptIn> {
        let keys = keeper.find(Some(&key.id())).await.expect("it looks").keys;
        keys.into_iter().filter(|(other, _)| other.bytes() == key.bytes()).map(|(_, kept_in)| kept_in).collect()
    }

    #[tokio::test]
    async fn a_key_lies_in_the_keychain_and_no_file_is_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let keeper = keeper(folder.path(), KeysIn::Auto, Fake::Works(std::sync::Mutex::default()));
        let (first, second) = (VaultKey::fresh(), VaultKey::fresh());
        assert!(found(&keeper, &first).await.is_empty());
        for key in [&first, &second] {
            assert_eq!(keeper.keep(key).await.expect("kept").kept_in, KeptIn::Keychain);
        }
        assert_eq!(found(&keeper, &first).await, [KeptIn::Keychain], "another one does not take its place");
        assert_eq!(found(&keeper, &second).await, [KeptIn::Keychain]);
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 0);
    }

    #[tokio::test]
    async fn without_a_keychain_it_lies_in_a_private_file() {
        for keychain in [Fake::Missing, Fake::Forgets] {
            let folder = tempfile::tempdir().expect("a folder");
            let keeper = keeper(folder.path(), KeysIn::Auto, keychain);
            let key = VaultKey::fresh();
            let Kept { kept_in, fault } = keeper.keep(&key).await.expect("kept");
            assert!(kept_in == KeptIn::File && fault.is_some(), "it is told why");
            keeper.put_in_place(&key, kept_in).expect("moved");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let file = folder.path().join(FILE);
                let mode = |path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
                assert_eq!(mode(&file), 0o600);
                fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("changed");
                assert_eq!(found(&keeper, &key).await, [KeptIn::File]);
                assert_eq!(mode(&file), 0o600, "a copied file is private again");
            }
            assert_eq!(found(&keeper, &key).await, [KeptIn::File]);
        }
    }

    #[tokio::test]
    async fn a_new_key_takes_no_place_before_it_is_the_vaults_and_none_is_lost_after() {
        let folder = tempfile::tempdir().expect("a folder");
        let keeper = keeper(folder.path(), KeysIn::File, Fake::Missing);
        let keys = [VaultKey::fresh(), VaultKey::fresh(), VaultKey::fresh()];
        for key in &keys {
            let given_up = VaultKey::fresh();
            keeper.keep(&given_up).await.expect("kept");
            let kept_in = keeper.keep(key).await.expect("kept").kept_in;
            assert_eq!(found(&keeper, key).await, [KeptIn::File], "a power cut before it is moved loses nothing");
            keeper.put_in_place(&given_up, kept_in).expect("it is not there any more");
            assert!(folder.path().join(NEW_FILE).exists(), "only the vault's own is moved");
            keeper.put_in_place(key, kept_in).expect("moved");
            keeper.put_in_place(key, kept_in).expect("twice is the same as once");
            let text = fs::read_to_string(folder.path().join(FILE)).expect("a file");
            assert_eq!(text.trim(), STANDARD_NO_PAD.encode(key.bytes()));
        }
        for key in &keys {
            assert_eq!(found(&keeper, key).await, [KeptIn::File], "the keys before are not lost");
        }
    }

    #[tokio::test]
    async fn who_wants_the_keychain_alone_gets_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let keeper = keeper(folder.path(), KeysIn::Keychain, Fake::Missing);
        let Kept { kept_in, fault } = keeper.keep(&VaultKey::fresh()).await.expect("that is no error");
        assert_eq!((kept_in, fault.as_deref()), (KeptIn::Nowhere, Some("there is no keychain")));
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 0);
    }

    #[tokio::test]
    async fn a_keychain_is_not_asked_for_what_lies_in_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = VaultKey::fresh();
        keeper(folder.path(), KeysIn::File, Fake::Missing).keep(&key).await.expect("kept");
        let asked = Arc::new(AtomicUsize::new(0));
        let keeper = keeper(folder.path(), KeysIn::Auto, Fake::Hangs(Arc::clone(&asked)));
        assert_eq!(found(&keeper, &key).await, [KeptIn::File]);
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_keychain_that_hangs_is_asked_once_and_waited_for_only_so_long() {
        let folder = tempfile::tempdir().expect("a folder");
        let asked = Arc::new(AtomicUsize::new(0));
        let keeper = keeper(folder.path(), KeysIn::Auto, Fake::Hangs(Arc::clone(&asked)));
        let key = VaultKey::fresh();
        for look in 1..=3 {
            let began = tokio::time::Instant::now();
            let found = keeper.find(Some(&key.id())).await.expect("it looks");
            assert!(found.keys.is_empty() && found.fault.is_some_and(|fault| fault.contains("did not answer")));
            assert!(began.elapsed() <= KEYCHAIN_TIME + Duration::from_millis(100), "{look}: {:?}", began.elapsed());
        }
        assert_eq!(keeper.keep(&key).await.expect("kept").kept_in, KeptIn::File);
        // The thread that asks is one of the system's, which the paused clock does not wait for.
        while asked.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1, "one thread is enough");
    }
}
