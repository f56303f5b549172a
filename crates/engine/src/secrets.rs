//! The vault: secrets of the show stand sealed in the database, the key that opens them does not.
//!
//! So a copy of the database, a backup or a dump holds no secret in clear. The key lies in the keychain of the
//! laptop's user, or in a file only that user reads. It never leaves this module; what it opens does.

mod handing;
mod keeper;
mod vault;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use showdesk_domain::actor::{Actor, DeviceKind};
use showdesk_domain::ids::DeviceId;
use showdesk_domain::permit::Action;
use showdesk_store::people::{self, DeviceRow};
use showdesk_store::secrets::{self, RequestRow, SealedRow};
use showdesk_store::{StoreError, Tx, network};

use crate::rights::require;
use crate::{Engine, EngineError, Result};
use handing::Asking;
use keeper::{Found, Keeper, Kept};
pub use keeper::{KeptIn, Keychain, KeysIn, SystemKeychain};
use vault::VaultKey;

/// The row that proves which key is the vault's.
const PROOF: &str = "vault";
const PROOF_TEXT: &[u8] = b"showdesk";
/// Another desk may make the vault at the same moment: then its key counts.
const TRIES: usize = 3;

/// What is known of the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultFacts {
    /// Where its key lies; nowhere while it is locked.
    pub kept_in: KeptIn,
    /// There are secrets, and the key to them is not on this laptop.
    pub is_locked: bool,
    /// Why the key was not found or not kept where it should lie, for people who look after the laptop.
    pub fault: Option<String>,
}

/// The vault of an open show. It is shut until [`Engine::open_vault`].
#[derive(Default)]
pub(crate) struct Secrets(Mutex<Option<Opened>>, Mutex<Option<(KeysIn, Arc<dyn Keychain>)>>);

struct Opened {
    keeper: Keeper,
    fault: Option<String>,
    state: State,
}

/// What a vault can do for another desk, or wants from it.
enum Doing {
    Nothing,
    Answer(Arc<VaultKey>),
    Ask,
    Listen,
}

enum State {
    Open(Arc<VaultKey>, KeptIn),
    /// The key of the secrets is elsewhere; perhaps another desk was asked for it.
    Locked(Option<Asking>),
}

impl Secrets {
    fn lock(&self) -> MutexGuard<'_, Option<Opened>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self) -> Result<Arc<VaultKey>> {
        match self.lock().as_ref().map(|opened| &opened.state) {
            Some(State::Open(key, _)) => Ok(Arc::clone(key)),
            Some(State::Locked(_)) | None => Err(EngineError::SecretsLocked),
        }
    }

    fn keeper(&self) -> Result<Keeper> {
        self.lock().as_ref().map(|opened| opened.keeper.clone()).ok_or(EngineError::SecretsLocked)
    }

    fn turn(&self, state: State, fault: Option<String>) {
        if let Some(opened) = self.lock().as_mut() {
            opened.state = state;
            opened.fault = fault;
        }
    }

    /// Another desk gave the vault up: what was its key here opens nothing of the new one.
    fn shut(&self, key: &VaultKey) {
        if let Some(opened) = self.lock().as_mut()
            && matches!(&opened.state, State::Open(present, _) if present.id() == key.id())
        {
            opened.state = State::Locked(None);
        }
    }
}

impl Engine {
    /// Finds the key of the show's secrets, or makes it if there are none yet. Never waits long for a keychain.
    ///
    /// A vault whose key is not here, or cannot be kept, stays locked: that is no error, [`VaultFacts::is_locked`]
    /// tells it, and the desk does without secrets.
    pub async fn open_vault(&self, wish: KeysIn, keychain: Arc<dyn Keychain>) -> Result<VaultFacts> {
        let account = self.inner.installation_id.to_string();
        let keeper = Keeper::new(self.inner.data_dir.clone(), account, wish, keychain);
        let (state, fault) = self.look_for_key(&keeper).await?;
        *self.inner.secrets.lock() = Some(Opened { keeper, fault, state });
        Ok(self.vault())
    }

    /// The same for a show that may never have a secret: no key is made for nothing, but with the first secret.
    pub async fn open_vault_if_needed(&self, wish: KeysIn, keychain: Arc<dyn Keychain>) -> Result<VaultFacts> {
        if self.proof().await?.is_some() {
            return self.open_vault(wish, keychain).await;
        }
        *self.inner.secrets.1.lock().unwrap_or_else(PoisonError::into_inner) = Some((wish, keychain));
        Ok(self.vault())
    }

    /// The first secret is to be kept: opens the vault if that was put off.
    pub(crate) async fn open_vault_now(&self) -> Result<()> {
        let later = self.inner.secrets.1.lock().unwrap_or_else(PoisonError::into_inner).take();
        match later {
            Some((wish, keychain)) => self.open_vault(wish, keychain).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// Looks once more for the key of a locked vault that could not be looked for to the end: perhaps somebody has
    /// opened the keychain meanwhile. Answers whether that has opened the vault.
    pub async fn look_for_key_again(&self) -> Result<bool> {
        let facts = self.vault();
        if !facts.is_locked || facts.fault.is_none() {
            return Ok(false);
        }
        let (found, fault) = self.look_for_key(&self.inner.secrets.keeper()?).await?;
        let mut opened = self.inner.secrets.lock();
        let Some(Opened { state: state @ State::Locked(_), fault: told, .. }) = opened.as_mut() else {
            return Ok(false);
        };
        *told = fault;
        let is_open = matches!(found, State::Open(..));
        if is_open {
            *state = found;
        }
        Ok(is_open)
    }

    /// A laptop that cannot read or keep the key now serves all the same.
    async fn look_for_key(&self, keeper: &Keeper) -> Result<(State, Option<String>)> {
        match self.find_key(keeper).await {
            Err(error @ (EngineError::Folder(_) | EngineError::DiskFull | EngineError::ReadOnly)) => {
                Ok((State::Locked(None), Some(error.to_string())))
            }
            found => found,
        }
    }

    async fn find_key(&self, keeper: &Keeper) -> Result<(State, Option<String>)> {
        for _ in 0..TRIES {
            let proof = self.proof().await?;
            let Found { keys, fault } = keeper.find(proof.as_ref().map(|proof| proof.key_id.as_slice())).await?;
            let Some(proof) = proof else {
                match self.make_vault(keeper, keys).await? {
                    Some(made) => return Ok(made),
                    None => continue,
                }
            };
            let fitting = keys.into_iter().find(|(key, _)| self.is_proven(key, &proof));
            let Some((key, kept_in)) = fitting else { return Ok((State::Locked(None), fault)) };
            keeper.put_in_place(&key, kept_in)?;
            return Ok((State::Open(Arc::new(key), kept_in), fault));
        }
        Err(EngineError::Busy { retry_after_ms: 1_000 })
    }

    /// The first key of a show without secrets, one that lies here already or a new one. None if another desk was
    /// faster: then its key counts.
    async fn make_vault(
        &self,
        keeper: &Keeper,
        keys: Vec<(VaultKey, KeptIn)>,
    ) -> Result<Option<(State, Option<String>)>> {
        let (key, Kept { kept_in, fault }) = if let Some((key, kept_in)) = keys.into_iter().next() {
            (key, Kept { kept_in, fault: None })
        } else {
            let key = VaultKey::fresh();
            let kept = keeper.keep(&key).await?;
            (key, kept)
        };
        if kept_in == KeptIn::Nowhere {
            return Ok(Some((State::Locked(None), fault)));
        }
        match self.prove(&key).await {
            Err(EngineError::Store(StoreError::Duplicate { .. })) => return Ok(None),
            proven => proven?,
        }
        keeper.put_in_place(&key, kept_in)?;
        Ok(Some((State::Open(Arc::new(key), kept_in), fault)))
    }

    /// What is known of the vault. Before it was opened nothing is kept and nothing is locked.
    pub fn vault(&self) -> VaultFacts {
        let opened = self.inner.secrets.lock();
        let (kept_in, is_locked) = match opened.as_ref().map(|opened| &opened.state) {
            Some(State::Open(_, kept_in)) => (*kept_in, false),
            Some(State::Locked(_)) => (KeptIn::Nowhere, true),
            None => (KeptIn::Nowhere, false),
        };
        VaultFacts { kept_in, is_locked, fault: opened.as_ref().and_then(|opened| opened.fault.clone()) }
    }

    /// A secret by its name, in clear: never for a log, an answer or a file.
    pub async fn secret(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let key = self.inner.secrets.key()?;
        let mut tx = self.begin_read_work().await?;
        let Some(row) = secrets::read(&mut tx, name).await? else { return Ok(None) };
        if key.id() != *row.key_id {
            self.inner.secrets.shut(&key);
            return Err(EngineError::SecretsLocked);
        }
        let opened = key.open(&self.about(name), &row.sealed);
        let corrupt = || StoreError::Corrupt { table: "secrets".into(), column: "sealed".into(), id: name.into() };
        opened.map(Some).ok_or_else(|| corrupt().into())
    }

    /// Keeps a secret, in the place of the one of that name.
    pub async fn keep_secret(&self, name: &str, secret: &[u8]) -> Result<()> {
        let mut tx = self.begin_write_work().await?;
        self.seal_into(&mut tx, name, secret).await?;
        self.commit(tx).await
    }

    /// The same within a transaction of the caller. Refused if the key here is the vault's no more: nobody could open it.
    pub(crate) async fn seal_into(&self, tx: &mut Tx, name: &str, secret: &[u8]) -> Result<()> {
        let key = self.inner.secrets.key()?;
        let proof = secrets::read(tx, PROOF).await?;
        if !proof.is_some_and(|proof| self.is_proven(&key, &proof)) {
            self.inner.secrets.shut(&key);
            return Err(EngineError::SecretsLocked);
        }
        let row = self.sealed(&key, name, secret);
        Ok(secrets::set(tx, name, &row, self.now()).await?)
    }

    /// Gives a locked vault up: its secrets are forgotten, a new key begins. Refused while another desk, which may
    /// have the key, is there.
    pub async fn give_vault_up(&self, actor: &Actor) -> Result<()> {
        require(actor, Action::Network)?;
        if !self.vault().is_locked || !self.neighbour_addresses().is_empty() {
            return Err(EngineError::SecretsLocked);
        }
        let (keeper, key) = (self.inner.secrets.keeper()?, VaultKey::fresh());
        let Kept { kept_in, fault } = keeper.keep(&key).await?;
        if kept_in == KeptIn::Nowhere {
            self.inner.secrets.turn(State::Locked(None), fault);
            return Err(EngineError::SecretsLocked);
        }
        let mut tx = self.begin_write_work().await?;
        secrets::remove_all(&mut tx).await?;
        network::remove_authority(&mut tx).await?;
        secrets::add(&mut tx, PROOF, &self.sealed(&key, PROOF, PROOF_TEXT), self.now()).await?;
        self.note_within(&mut tx, actor, "vault_given_up", None, None).await?;
        self.commit(tx).await?;
        let key = Arc::new(key);
        self.inner.secrets.turn(State::Open(Arc::clone(&key), kept_in), fault);
        keeper.put_in_place(&key, kept_in)
    }

    /// Where desks share a database: asks the others for the key if it is missing here, answers them if it is not.
    /// Answers whether this call has opened the vault.
    pub async fn tend_vault(&self) -> Result<bool> {
        if !self.db().is_shared() {
            return Ok(false);
        }
        let doing = match self.inner.secrets.lock().as_ref().map(|opened| &opened.state) {
            Some(State::Open(key, _)) => Doing::Answer(Arc::clone(key)),
            Some(State::Locked(None)) => Doing::Ask,
            Some(State::Locked(Some(_))) => Doing::Listen,
            None => Doing::Nothing,
        };
        match doing {
            Doing::Nothing => Ok(false),
            Doing::Answer(key) => self.answer_requests(&key).await.map(|()| false),
            Doing::Ask => self.ask_for_key().await.map(|()| false),
            Doing::Listen => self.take_answer().await,
        }
    }

    async fn ask_for_key(&self) -> Result<()> {
        let asking = Asking::begin();
        let request = RequestRow { device_id: self.inner.desk_device, public_key: asking.public.clone() };
        let mut tx = self.begin_write_work().await?;
        secrets::ask(&mut tx, &request, self.now()).await?;
        self.commit(tx).await?;
        if let Some(Opened { state: state @ State::Locked(None), .. }) = self.inner.secrets.lock().as_mut() {
            *state = State::Locked(Some(asking));
        }
        Ok(())
    }

    /// Whoever may write to the database as a desk is a desk: it can let phones in as well (docs/decisions).
    async fn answer_requests(&self, key: &VaultKey) -> Result<()> {
        let mut tx = self.begin_read_work().await?;
        let requests = secrets::unanswered(&mut tx).await?;
        drop(tx);
        if requests.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin_read_desk().await?;
        let askers: Vec<DeviceId> = requests.iter().map(|request| request.device_id).collect();
        let is_desk = |device: &&DeviceRow| device.kind == DeviceKind::Desk && device.revoked_at.is_none();
        let devices = people::devices_by_id(&mut tx, &askers).await?;
        let desks: Vec<DeviceId> = devices.iter().filter(is_desk).map(|device| device.id).collect();
        drop(tx);
        let actor = self.desk_actor().await?;
        for request in requests.into_iter().filter(|request| desks.contains(&request.device_id)) {
            let about = self.about(&request.device_id.0.to_string());
            let Some(answer) = handing::hand(key, request.public_key, &about) else { continue };
            let mut tx = self.begin_write_work().await?;
            secrets::answer(&mut tx, request.device_id, &answer, self.now()).await?;
            self.note_within(&mut tx, &actor, "vault_shared", Some(request.device_id.0), None).await?;
            self.commit(tx).await?;
        }
        Ok(())
    }

    async fn take_answer(&self) -> Result<bool> {
        let mut tx = self.begin_read_work().await?;
        let answer = secrets::answered(&mut tx, self.inner.desk_device).await?;
        drop(tx);
        let Some(answer) = answer else { return Ok(false) };
        let asking = match self.inner.secrets.lock().as_mut().map(|opened| &mut opened.state) {
            Some(State::Locked(asking)) => asking.take(),
            Some(State::Open(..)) | None => None,
        };
        let about = self.about(&self.inner.desk_device.0.to_string());
        let key = asking.and_then(|asking| asking.take(&answer, &about));
        let Some(proof) = self.proof().await? else { return Ok(false) };
        // An answer that does not fit is as good as none: the next look asks again.
        let Some(key) = key.filter(|key| self.is_proven(key, &proof)) else { return Ok(false) };
        let keeper = self.inner.secrets.keeper()?;
        // What cannot be kept here is asked for again after the next start.
        let Kept { kept_in, fault } = keeper.keep(&key).await?;
        let key = Arc::new(key);
        self.inner.secrets.turn(State::Open(Arc::clone(&key), kept_in), fault);
        keeper.put_in_place(&key, kept_in)?;
        let mut tx = self.begin_write_work().await?;
        secrets::withdraw(&mut tx, self.inner.desk_device).await?;
        self.commit(tx).await?;
        Ok(true)
    }

    async fn proof(&self) -> Result<Option<SealedRow>> {
        let mut tx = self.begin_read_work().await?;
        Ok(secrets::read(&mut tx, PROOF).await?)
    }

    async fn prove(&self, key: &VaultKey) -> Result<()> {
        let mut tx = self.begin_write_work().await?;
        secrets::add(&mut tx, PROOF, &self.sealed(key, PROOF, PROOF_TEXT), self.now()).await?;
        self.commit(tx).await
    }

    fn is_proven(&self, key: &VaultKey, proof: &SealedRow) -> bool {
        key.id() == *proof.key_id && key.open(&self.about(PROOF), &proof.sealed).as_deref() == Some(PROOF_TEXT)
    }

    fn sealed(&self, key: &VaultKey, name: &str, secret: &[u8]) -> SealedRow {
        SealedRow { key_id: key.id().to_vec(), sealed: key.seal(&self.about(name), secret) }
    }

    /// What a sealed text is about: one cannot be put in another's place, nor into another show.
    fn about(&self, name: &str) -> String {
        format!("{}/{name}", self.inner.installation_id)
    }
}

#[cfg(test)]
mod tests;
