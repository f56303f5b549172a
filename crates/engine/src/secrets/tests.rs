//! The vault of a show: opened, shut, given up, on both engines.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use showdesk_domain::ids::PersonId;
use showdesk_testkit::on_both_engines;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::api::attention::AuditQuery;
use crate::{Authority, Founding, Options};

/// A keychain that may be locked.
#[derive(Default)]
struct Chain {
    is_open: AtomicBool,
    kept: Mutex<HashMap<String, Vec<u8>>>,
}

impl Chain {
    fn kept(&self) -> std::result::Result<MutexGuard<'_, HashMap<String, Vec<u8>>>, String> {
        let is_open = self.is_open.load(Ordering::SeqCst);
        is_open.then(|| self.kept.lock().expect("no panic")).ok_or_else(|| "it is locked".to_owned())
    }
}

impl Keychain for Chain {
    fn get(&self, account: &str) -> std::result::Result<Option<Vec<u8>>, String> {
        Ok(self.kept()?.get(account).cloned())
    }

    fn set(&self, account: &str, secret: &[u8]) -> std::result::Result<(), String> {
        self.kept()?.insert(account.to_owned(), secret.to_vec());
        Ok(())
    }
}

async fn show(database_url: Option<String>) -> (TempDir, Engine) {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = open(folder.path(), database_url).await;
    (folder, engine)
}

async fn open(folder: &Path, database_url: Option<String>) -> Engine {
    Engine::open(Options { database_url, ..Options::new(folder) }).await.expect("a show")
}

fn no_chain() -> Arc<Chain> {
    Arc::default()
}

fn founding(engine: &Engine, name: &[u8]) -> Founding {
    let (created_at, expires_at) = (engine.now(), engine.now() + TimeDelta::days(1));
    Founding { authority: Authority { certificate: name.to_vec(), created_at, expires_at }, key: b"key".to_vec() }
}

async fn noted(engine: &Engine, action: &str) -> usize {
    let query = AuditQuery { action: Some(action.to_owned()), limit: 10, ..AuditQuery::default() };
    engine.audit(&engine.desk_actor().await.expect("the desk"), query).await.expect("a page").items.len()
}

/// Somebody whom the audit list cannot name: the row that says who did it is refused.
async fn nobody(engine: &Engine) -> Actor {
    Actor { person: PersonId(Uuid::now_v7()), ..engine.desk_actor().await.expect("the desk") }
}

async fn a_keychain_that_does_not_answer_stops_no_desk(database_url: Option<String>) {
    let (folder, engine) = show(database_url).await;
    let chain = Arc::new(Chain::default());
    let wanted: Arc<dyn Keychain> = chain.clone();
    let facts = engine.open_vault(KeysIn::Keychain, wanted).await.expect("the desk does without secrets");
    assert_eq!((facts.is_locked, facts.kept_in, facts.fault.as_deref()), (true, KeptIn::Nowhere, Some("it is locked")));
    assert!(matches!(engine.keep_secret("push", b"x").await, Err(EngineError::SecretsLocked)));
    assert!(!engine.look_for_key_again().await.expect("it looks"));
    let actor = engine.desk_actor().await.expect("the desk");
    assert!(matches!(engine.give_vault_up(&actor).await, Err(EngineError::SecretsLocked)), "nothing could be kept");
    chain.is_open.store(true, Ordering::SeqCst);
    assert!(engine.look_for_key_again().await.expect("it looks"));
    let facts = engine.vault();
    assert_eq!((facts.is_locked, facts.kept_in, facts.fault), (false, KeptIn::Keychain, None));
    engine.keep_secret("push", b"a credential").await.expect("kept");
    assert_eq!(engine.secret("push").await.expect("opened").as_deref(), Some(&b"a credential"[..]));
    assert!(!folder.path().join("vault.key").exists());
    engine.close().await;
}

async fn a_file_that_cannot_be_read_stops_no_desk(database_url: Option<String>) {
    let (folder, engine) = show(database_url).await;
    // A folder in its place cannot be read as a file, not even by root.
    std::fs::create_dir(folder.path().join("vault.key")).expect("made");
    let facts = engine.open_vault(KeysIn::File, no_chain()).await.expect("the desk does without secrets");
    assert!(facts.is_locked && facts.fault.is_some_and(|fault| fault.contains("vault.key")));
    std::fs::remove_dir(folder.path().join("vault.key")).expect("removed");
    assert!(engine.look_for_key_again().await.expect("it looks"));
    engine.close().await;
}

async fn what_is_done_to_the_vault_is_done_with_its_record_or_not_at_all(database_url: Option<String>) {
    let (folder, engine) = show(database_url.clone()).await;
    engine.open_vault(KeysIn::File, no_chain()).await.expect("a vault");
    engine.found_authority(&founding(&engine, b"first")).await.expect("founded");
    let present =
        async |engine: &Engine| engine.authority().await.expect("read").map(|authority| authority.certificate);

    let refused = engine.replace_authority(&nobody(&engine).await, &founding(&engine, b"second"), "f").await;
    assert!(refused.is_err());
    assert_eq!(present(&engine).await.as_deref(), Some(&b"first"[..]), "phones trust what they trusted");
    let actor = engine.desk_actor().await.expect("the desk");
    engine.replace_authority(&actor, &founding(&engine, b"third"), "f").await.expect("replaced");
    assert_eq!(
        (present(&engine).await.as_deref(), noted(&engine, "authority_renewed").await),
        (Some(&b"third"[..]), 1)
    );
    engine.close().await;
    drop(engine);

    // The key is on another laptop now, and somebody begins anew.
    let file = folder.path().join("vault.key");
    let away = std::fs::read(&file).expect("a key");
    std::fs::write(&file, "bm8ga2V5").expect("written");
    let engine = open(folder.path(), database_url).await;
    assert!(engine.open_vault(KeysIn::File, no_chain()).await.expect("it looks").is_locked);
    engine.give_vault_up(&nobody(&engine).await).await.expect_err("nobody can be named");
    assert_eq!((present(&engine).await.as_deref(), engine.vault().is_locked), (Some(&b"third"[..]), true));
    assert_eq!(std::fs::read(&file).expect("a file"), b"bm8ga2V5", "what lies there is not touched for it");
    std::fs::write(&file, &away).expect("the key comes back");
    let keeper = engine.inner.secrets.keeper().expect("it was opened");
    let (found, _) = engine.find_key(&keeper).await.expect("it looks");
    assert!(matches!(found, State::Open(_, KeptIn::File)), "and opens what it opened before");

    engine.give_vault_up(&actor).await.expect("given up");
    assert_eq!((present(&engine).await, noted(&engine, "vault_given_up").await), (None, 1));
    assert!(!engine.vault().is_locked);
    engine.keep_secret("push", b"x").await.expect("a new vault");
    let former = std::fs::read_dir(folder.path())
        .expect("a folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert_eq!(former.filter(|name| name.starts_with("vault.key.former-")).count(), 1, "the key before is kept");
    engine.close().await;
}

async fn a_key_that_is_the_vaults_no_more_seals_nothing(database_url: Option<String>) {
    let (_folder, engine) = show(database_url).await;
    engine.open_vault(KeysIn::File, no_chain()).await.expect("a vault");
    engine.keep_secret("push", b"before").await.expect("kept");
    // Another desk has given the vault up and begun anew.
    let key = VaultKey::fresh();
    let mut tx = engine.begin_write_work().await.expect("begun");
    secrets::remove_all(&mut tx).await.expect("removed");
    secrets::add(&mut tx, PROOF, &engine.sealed(&key, PROOF, PROOF_TEXT), engine.now()).await.expect("added");
    secrets::set(&mut tx, "push", &engine.sealed(&key, "push", b"theirs"), engine.now()).await.expect("added");
    tx.commit().await.expect("committed");
    assert!(matches!(engine.keep_secret("push", b"lost").await, Err(EngineError::SecretsLocked)));
    assert!(engine.vault().is_locked, "it asks the other desk for the key");
    let mut tx = engine.begin_read_work().await.expect("begun");
    let row = secrets::read(&mut tx, "push").await.expect("read").expect("a row");
    assert_eq!(key.open(&engine.about("push"), &row.sealed).as_deref(), Some(&b"theirs"[..]));
    drop(tx);
    engine.close().await;
}

async fn a_secret_of_another_vault_is_locked_and_not_broken(database_url: Option<String>) {
    let (_folder, engine) = show(database_url).await;
    engine.open_vault(KeysIn::File, no_chain()).await.expect("a vault");
    let other = VaultKey::fresh();
    let mut tx = engine.begin_write_work().await.expect("begun");
    secrets::set(&mut tx, "push", &engine.sealed(&other, "push", b"theirs"), engine.now()).await.expect("added");
    tx.commit().await.expect("committed");
    assert!(matches!(engine.secret("push").await, Err(EngineError::SecretsLocked)));
    assert!(engine.vault().is_locked);
    engine.close().await;
}

on_both_engines!(
    a_keychain_that_does_not_answer_stops_no_desk,
    a_file_that_cannot_be_read_stops_no_desk,
    what_is_done_to_the_vault_is_done_with_its_record_or_not_at_all,
    a_key_that_is_the_vaults_no_more_seals_nothing,
    a_secret_of_another_vault_is_locked_and_not_broken,
);
