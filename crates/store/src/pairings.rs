//! Codes that let phones in; `claims` are of the phones that showed one.

mod claims;

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use showdesk_domain::actor::{Function, Scope};
use showdesk_domain::ids::PersonId;
use uuid::Uuid;

use crate::db::routines::Routine;
use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::people::json;
use crate::sql;
use crate::{Result, Tx};

use claims::{CLAIM_BY_SECRET, COUNT_WAITING};
pub use claims::{
    ClaimRow, ClaimStatus, Decision, WaitingClaim, WaitingCounts, add_claim, claim, count_waiting, decide, find_claim,
    hold, refuse_all_of, refuse_forgotten, waiting,
};

const PAIRING: &[&str] = &[
    "id",
    "code_sha256",
    "mode",
    "functions",
    "scope",
    "created_by",
    "created_at",
    "code_expires_at",
    "used_at",
    "closed_at",
    "device_expires_at",
    "typed_sha256",
    "typed_expires_at",
    "typed_tries",
];

static OPEN: LazyLock<&str> = LazyLock::new(|| sql::keep(sql::insert("pairings", PAIRING, 1)));
static BY_CODE: LazyLock<&str> =
    LazyLock::new(|| sql::keep(format!("{} WHERE code_sha256 = $1", sql::select("pairings", PAIRING))));
static BY_TYPED: LazyLock<&str> = LazyLock::new(|| {
    let select = sql::select("pairings", PAIRING);
    sql::keep(format!("{select} WHERE typed_sha256 = $1 ORDER BY typed_expires_at DESC LIMIT 1"))
});
static BY_ID: LazyLock<&str> =
    LazyLock::new(|| sql::keep(format!("{} WHERE id = $1", sql::select("pairings", PAIRING))));
static USE_CODE: LazyLock<&str> = LazyLock::new(|| {
    let columns = sql::names(PAIRING.iter().copied());
    sql::keep(format!(
        "UPDATE pairings SET used_at = COALESCE(used_at, $2) WHERE code_sha256 = $1 AND {OPEN_AT_2} RETURNING {columns}"
    ))
});
static USE_TYPED: LazyLock<&str> = LazyLock::new(|| {
    let columns = sql::names(PAIRING.iter().copied());
    sql::keep(format!(
        "UPDATE pairings SET used_at = COALESCE(used_at, $2) WHERE typed_sha256 = $1 AND {OPEN_AT_2} \
         AND {TYPED_LIVES_AT_2} AND NOT EXISTS (SELECT 1 FROM pairing_tries t WHERE t.pairing_id = pairings.id \
         AND t.address = $4 AND t.tries >= $5) RETURNING {columns}"
    ))
});
static OPENED: LazyLock<&str> = LazyLock::new(|| {
    let columns: Vec<String> = PAIRING.iter().map(|column| format!("p.{column}")).collect();
    sql::keep(format!(
        "SELECT {}, (SELECT COUNT(*) FROM pairing_claims c WHERE c.pairing_id = p.id AND c.status = 'approved') \
         FROM pairings p WHERE p.closed_at IS NULL AND p.code_expires_at > $1 \
         AND (p.used_at IS NULL OR p.mode = 'open') ORDER BY p.created_at DESC, p.id LIMIT $2",
        columns.join(", ")
    ))
});
/// A code that still lets somebody in at the moment $2.
const OPEN_AT_2: &str = "code_expires_at > $2 AND closed_at IS NULL AND (used_at IS NULL OR mode = 'open')";
/// A typed code that was not guessed at too often, $3 times in all, at the moment $2.
const TYPED_LIVES_AT_2: &str = "typed_expires_at > $2 AND typed_tries < $3";
static LIVE_TYPED: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!(
        "SELECT id, COALESCE((SELECT t.tries FROM pairing_tries t WHERE t.pairing_id = pairings.id AND t.address = $1), 0) \
         FROM pairings WHERE {OPEN_AT_2} AND {TYPED_LIVES_AT_2}"
    ))
});
/// An address that was wrong too often counts no more: it alone cannot kill a code for everybody.
static COUNT_WRONG: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!(
        "UPDATE pairings SET typed_tries = typed_tries + 1 WHERE {OPEN_AT_2} AND {TYPED_LIVES_AT_2} AND NOT EXISTS \
         (SELECT 1 FROM pairing_tries t WHERE t.pairing_id = pairings.id AND t.address = $1 AND t.tries >= $4) \
         RETURNING id, typed_tries"
    ))
});
const COUNT_WRONG_FROM: &str = "INSERT INTO pairing_tries (pairing_id, address, tries) VALUES ($1, $2, 1) \
     ON CONFLICT (pairing_id, address) DO UPDATE SET tries = pairing_tries.tries + 1";

/// What is run for a phone that asks to join: it is nobody yet.
pub(crate) fn routines_for_anyone() -> Vec<Routine> {
    vec![
        Routine { name: "anyone_finds_code", sql: *BY_CODE },
        Routine { name: "anyone_finds_typed_code", sql: *BY_TYPED },
        Routine { name: "anyone_was_wrong_before", sql: *LIVE_TYPED },
        Routine { name: "anyone_was_wrong", sql: *COUNT_WRONG },
        Routine { name: "anyone_was_wrong_from", sql: COUNT_WRONG_FROM },
        Routine { name: "anyone_waits", sql: COUNT_WAITING },
        Routine { name: "anyone_uses_code", sql: *USE_CODE },
        Routine { name: "anyone_uses_typed_code", sql: *USE_TYPED },
        Routine { name: "anyone_finds_claim", sql: *CLAIM_BY_SECRET },
    ]
}

/// A row of `pairings`: a code, of which only the hash is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairingRow {
    /// The code's row.
    pub id: Uuid,
    /// SHA-256 of the code.
    pub code_sha256: [u8; 32],
    /// Whether it serves many phones.
    pub open: bool,
    /// What phones that use it will do.
    pub functions: Vec<Function>,
    /// Where they may write.
    pub scope: Scope,
    /// Who opened joining.
    pub created_by: PersonId,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it dies.
    pub code_expires_at: DateTime<Utc>,
    /// When a single code was used, or an open one first.
    pub used_at: Option<DateTime<Utc>>,
    /// When the desk took it back.
    pub closed_at: Option<DateTime<Utc>>,
    /// Until when a phone that joins by it may stay; none means for ever.
    pub device_expires_at: Option<DateTime<Utc>>,
    /// Its short form for typing, if it has one.
    pub typed: Option<TypedRow>,
}

/// The short form of a code, of which only the hash is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedRow {
    /// SHA-256 of the characters.
    pub sha256: [u8; 32],
    /// When it dies.
    pub expires_at: DateTime<Utc>,
    /// Wrong tries since it was made, from everywhere.
    pub tries: i64,
}

/// How often somebody may be wrong with a typed code.
#[derive(Debug, Clone, Copy)]
pub struct TriesMax {
    /// From one address: then it is dead for that address.
    pub of_address: i64,
    /// From everywhere: then it is dead.
    pub in_all: i64,
}

/// A code that is open, and how many phones have joined by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedRow {
    /// The code.
    pub pairing: PairingRow,
    /// Phones that were allowed.
    pub joined: i64,
}

/// Opens joining.
pub async fn open(tx: &mut Tx, row: &PairingRow) -> Result<()> {
    let values = values![
        row.id,
        &row.code_sha256,
        if row.open { "open" } else { "single" },
        json(&row.functions),
        json(&row.scope),
        row.created_by,
        row.created_at,
        row.code_expires_at,
        row.used_at,
        row.closed_at,
        row.device_expires_at,
        row.typed.as_ref().map(|typed| typed.sha256.to_vec()),
        row.typed.as_ref().map(|typed| typed.expires_at),
        row.typed.as_ref().map_or(0, |typed| typed.tries),
    ];
    tx.execute(*OPEN, values).await?;
    Ok(())
}

/// A code by its hash, whether it is still good or not.
pub async fn find_code(tx: &mut Tx, code_sha256: &[u8; 32]) -> Result<Option<PairingRow>> {
    tx.row(*BY_CODE, values![code_sha256]).await?.as_ref().map(read_pairing).transpose()
}

/// A code by its row's id.
pub async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<PairingRow>> {
    tx.row(*BY_ID, values![id]).await?.as_ref().map(read_pairing).transpose()
}

/// Uses a code, in one atomic update: none if there is no such code, it has expired, or a single one was used.
pub async fn use_code(tx: &mut Tx, code_sha256: &[u8; 32], at: DateTime<Utc>) -> Result<Option<PairingRow>> {
    tx.row(*USE_CODE, values![code_sha256, at]).await?.as_ref().map(read_pairing).transpose()
}

/// Uses a typed code, in one atomic update: none if there is no such code for this address.
pub async fn use_typed(
    tx: &mut Tx,
    typed_sha256: &[u8; 32],
    address: &str,
    max: TriesMax,
    at: DateTime<Utc>,
) -> Result<Option<PairingRow>> {
    let values = values![typed_sha256, at, max.in_all, address, max.of_address];
    tx.row(*USE_TYPED, values).await?.as_ref().map(read_pairing).transpose()
}

/// A code by the hash of its short form, whether that is still good or not.
pub async fn find_typed(tx: &mut Tx, typed_sha256: &[u8; 32]) -> Result<Option<PairingRow>> {
    tx.row(*BY_TYPED, values![typed_sha256]).await?.as_ref().map(read_pairing).transpose()
}

/// How often the address was wrong with each typed code that lives.
pub async fn wrong_tries(tx: &mut Tx, address: &str, max: TriesMax, at: DateTime<Utc>) -> Result<HashMap<Uuid, i64>> {
    let rows = tx.rows(*LIVE_TYPED, values![address, at, max.in_all]).await?;
    let read = |row: &Row| {
        let mut cells = Cells::new(row, "pairings", &["id", "tries"]);
        Ok((cells.uuid()?, cells.int()?))
    };
    rows.iter().map(read).collect()
}

/// Counts a wrong try against every typed code that lives and is not dead for the address. Answers whether one of them
/// is dead now for everybody.
pub async fn note_wrong_typed(tx: &mut Tx, address: &str, max: TriesMax, at: DateTime<Utc>) -> Result<bool> {
    let mut is_dead = false;
    for row in tx.rows(*COUNT_WRONG, values![address, at, max.in_all, max.of_address]).await? {
        let mut cells = Cells::new(&row, "pairings", &["id", "typed_tries"]);
        let id = cells.uuid()?;
        is_dead |= cells.int()? >= max.in_all;
        tx.execute(COUNT_WRONG_FROM, values![id, address]).await?;
    }
    Ok(is_dead)
}

/// Gives an open code a new short form; false if it is not open any more.
pub async fn renew_typed(tx: &mut Tx, id: Uuid, typed: &TypedRow, at: DateTime<Utc>) -> Result<bool> {
    let sql = "UPDATE pairings SET typed_sha256 = $3, typed_expires_at = $4, typed_tries = $5 WHERE id = $1 \
               AND code_expires_at > $2 AND closed_at IS NULL AND (used_at IS NULL OR mode = 'open')";
    let renewed = tx.execute(sql, values![id, at, &typed.sha256, typed.expires_at, typed.tries]).await? == 1;
    forget_tries(tx, at).await?;
    tx.execute("DELETE FROM pairing_tries WHERE pairing_id = $1", values![id]).await?;
    Ok(renewed)
}

/// Takes a code back; false if it was taken back before.
pub async fn close(tx: &mut Tx, id: Uuid, at: DateTime<Utc>) -> Result<bool> {
    let sql = "UPDATE pairings SET closed_at = $2 WHERE id = $1 AND closed_at IS NULL";
    let closed = tx.execute(sql, values![id, at]).await? == 1;
    tx.execute("DELETE FROM pairing_tries WHERE pairing_id = $1", values![id]).await?;
    Ok(closed)
}

/// Lets a single code serve once more, after the phone that showed it was refused; false if its time is over.
pub async fn give_back(tx: &mut Tx, id: Uuid, at: DateTime<Utc>) -> Result<bool> {
    let sql = "UPDATE pairings SET used_at = NULL WHERE id = $1 AND code_expires_at > $2 AND closed_at IS NULL \
               AND mode = 'single' AND NOT EXISTS (SELECT 1 FROM pairing_claims c WHERE c.pairing_id = pairings.id \
               AND c.status <> 'refused')";
    Ok(tx.execute(sql, values![id, at]).await? == 1)
}

/// Forgets who was wrong with typed codes that are over.
pub async fn forget_tries(tx: &mut Tx, at: DateTime<Utc>) -> Result<()> {
    let sql = "DELETE FROM pairing_tries WHERE pairing_id IN \
               (SELECT id FROM pairings WHERE typed_expires_at IS NULL OR typed_expires_at <= $1)";
    tx.execute(sql, values![at]).await?;
    Ok(())
}

/// Codes that let somebody in at that moment, newest first.
pub async fn opened(tx: &mut Tx, at: DateTime<Utc>, limit: i64) -> Result<Vec<OpenedRow>> {
    let columns = [PAIRING, &["joined"]].concat();
    let rows = tx.rows(*OPENED, values![at, limit]).await?;
    let read = |row: &Row| {
        let mut cells = Cells::new(row, "pairings", &columns);
        Ok(OpenedRow { pairing: pairing_of(&mut cells)?, joined: cells.int()? })
    };
    rows.iter().map(read).collect()
}

fn read_pairing(row: &Row) -> Result<PairingRow> {
    pairing_of(&mut Cells::new(row, "pairings", PAIRING))
}

fn pairing_of(cells: &mut Cells<'_>) -> Result<PairingRow> {
    Ok(PairingRow {
        id: cells.uuid()?,
        code_sha256: cells.sha256()?,
        open: cells.word(|mode| match mode {
            "open" => Some(true),
            "single" => Some(false),
            _ => None,
        })?,
        functions: cells.parsed()?,
        scope: cells.parsed()?,
        created_by: cells.uuid()?.into(),
        created_at: cells.instant()?,
        code_expires_at: cells.instant()?,
        used_at: cells.instant_option()?,
        closed_at: cells.instant_option()?,
        device_expires_at: cells.instant_option()?,
        typed: read_typed(cells)?,
    })
}

fn read_typed(cells: &mut Cells<'_>) -> Result<Option<TypedRow>> {
    let (sha256, expires_at, tries) = (cells.sha256_option()?, cells.instant_option()?, cells.int()?);
    Ok(sha256.zip(expires_at).map(|(sha256, expires_at)| TypedRow { sha256, expires_at, tries }))
}
