//! Codes that let phones in, and the phones that showed one.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use showdesk_domain::actor::{Function, Scope};
use showdesk_domain::ids::{DeviceId, PersonId};
use uuid::Uuid;

use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::people::json;
use crate::sql;
use crate::{Result, Tx};

const PAIRING: &[&str] =
    &["id", "code_sha256", "mode", "functions", "scope", "created_by", "created_at", "code_expires_at", "used_at"];
const CLAIM: &[&str] = &[
    "id",
    "pairing_id",
    "secret_sha256",
    "check_number",
    "device_name",
    "platform",
    "previous_device_id",
    "claimed_at",
    "status",
    "device_id",
    "decided_by",
    "decided_at",
    "token_delivered_until",
];

static OPEN: LazyLock<&str> = LazyLock::new(|| sql::keep(sql::insert("pairings", PAIRING, 1)));
static BY_CODE: LazyLock<&str> =
    LazyLock::new(|| sql::keep(format!("{} WHERE code_sha256 = $1", sql::select("pairings", PAIRING))));
static BY_ID: LazyLock<&str> =
    LazyLock::new(|| sql::keep(format!("{} WHERE id = $1", sql::select("pairings", PAIRING))));
static USE_CODE: LazyLock<&str> = LazyLock::new(|| {
    let columns = sql::names(PAIRING.iter().copied());
    sql::keep(format!(
        "UPDATE pairings SET used_at = COALESCE(used_at, $2) WHERE code_sha256 = $1 AND code_expires_at > $2 \
         AND (used_at IS NULL OR mode = 'open') RETURNING {columns}"
    ))
});
static ADD_CLAIM: LazyLock<&str> = LazyLock::new(|| sql::keep(sql::insert("pairing_claims", CLAIM, 1)));
static CLAIM_BY_SECRET: LazyLock<&str> = LazyLock::new(|| claims_where("c.secret_sha256 = $1"));
static CLAIM_BY_ID: LazyLock<&str> = LazyLock::new(|| claims_where("c.id = $1"));
static WAITING: LazyLock<&str> = LazyLock::new(|| claims_where("c.status = 'waiting' ORDER BY c.claimed_at, c.id"));

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
}

/// Where a claim stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimStatus {
    /// The desk has not answered.
    Waiting,
    /// Allowed.
    Approved,
    /// Refused.
    Refused,
}

/// A row of `pairing_claims`: a phone that showed a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRow {
    /// Names the claim at the desk; not secret.
    pub id: Uuid,
    /// The code it showed.
    pub pairing_id: Uuid,
    /// SHA-256 of the id that only the phone knows.
    pub secret_sha256: [u8; 32],
    /// Four digits that both screens show.
    pub check_number: String,
    /// What its person typed.
    pub device_name: String,
    /// ios, android, web, ….
    pub platform: Option<String>,
    /// The device whose old token it showed, to keep its id.
    pub previous_device_id: Option<DeviceId>,
    /// When it asked.
    pub claimed_at: DateTime<Utc>,
    /// Where it stands.
    pub status: ClaimStatus,
    /// The device, once it is allowed.
    pub device_id: Option<DeviceId>,
    /// Who answered.
    pub decided_by: Option<PersonId>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// Until when the phone may fetch its token.
    pub token_delivered_until: Option<DateTime<Utc>>,
}

/// A claim that waits, with what its code was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingClaim {
    /// The claim.
    pub claim: ClaimRow,
    /// What its code was made for.
    pub functions: Vec<Function>,
    /// Where its phone may write.
    pub scope: Scope,
}

/// The desk's answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Allowed, or refused.
    pub status: ClaimStatus,
    /// The device, if it is allowed.
    pub device_id: Option<DeviceId>,
    /// Who answers.
    pub decided_by: PersonId,
    /// When.
    pub decided_at: DateTime<Utc>,
    /// Until when the phone may fetch its token.
    pub token_delivered_until: Option<DateTime<Utc>>,
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

/// Adds a phone's claim, after [`use_code`] gave it the code's row.
pub async fn add_claim(tx: &mut Tx, row: &ClaimRow) -> Result<()> {
    let values = values![
        row.id,
        row.pairing_id,
        &row.secret_sha256,
        row.check_number.as_str(),
        row.device_name.as_str(),
        row.platform.clone(),
        row.previous_device_id,
        row.claimed_at,
        row.status.as_str(),
        row.device_id,
        row.decided_by,
        row.decided_at,
        row.token_delivered_until,
    ];
    tx.execute(*ADD_CLAIM, values).await?;
    Ok(())
}

/// A claim by the hash of the phone's secret, with what its code was made for.
pub async fn find_claim(tx: &mut Tx, secret_sha256: &[u8; 32]) -> Result<Option<WaitingClaim>> {
    tx.row(*CLAIM_BY_SECRET, values![secret_sha256]).await?.as_ref().map(read_claim).transpose()
}

/// A claim by the id the desk knows it by, with what its code was made for.
pub async fn claim(tx: &mut Tx, id: Uuid) -> Result<Option<WaitingClaim>> {
    tx.row(*CLAIM_BY_ID, values![id]).await?.as_ref().map(read_claim).transpose()
}

/// Claims that wait for the desk, oldest first.
pub async fn waiting(tx: &mut Tx) -> Result<Vec<WaitingClaim>> {
    tx.rows(*WAITING, Vec::new()).await?.iter().map(read_claim).collect()
}

/// Holds a claim until the transaction ends: two requests about it take turns.
pub async fn hold(tx: &mut Tx, id: Uuid) -> Result<()> {
    tx.execute("UPDATE pairing_claims SET status = status WHERE id = $1", values![id]).await?;
    Ok(())
}

/// Answers a claim that waits; false if it was answered before.
pub async fn decide(tx: &mut Tx, id: Uuid, decision: &Decision) -> Result<bool> {
    let sql = "UPDATE pairing_claims SET status = $2, device_id = $3, decided_by = $4, decided_at = $5, \
               token_delivered_until = $6 WHERE id = $1 AND status = 'waiting'";
    let values = values![
        id,
        decision.status.as_str(),
        decision.device_id,
        decision.decided_by,
        decision.decided_at,
        decision.token_delivered_until,
    ];
    Ok(tx.execute(sql, values).await? == 1)
}

impl ClaimStatus {
    /// The word in the protocol and in both databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Refused => "refused",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Waiting, Self::Approved, Self::Refused].into_iter().find(|status| status.as_str() == word)
    }
}

fn claims_where(condition: &str) -> &'static str {
    let columns: Vec<String> = CLAIM.iter().map(|column| format!("c.{column}")).collect();
    sql::keep(format!(
        "SELECT {}, p.functions, p.scope FROM pairing_claims c JOIN pairings p ON p.id = c.pairing_id WHERE {condition}",
        columns.join(", ")
    ))
}

fn read_pairing(row: &Row) -> Result<PairingRow> {
    let mut cells = Cells::new(row, "pairings", PAIRING);
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
    })
}

fn read_claim(row: &Row) -> Result<WaitingClaim> {
    let mut cells = Cells::new(row, "pairing_claims", CLAIM);
    let claim = ClaimRow {
        id: cells.uuid()?,
        pairing_id: cells.uuid()?,
        secret_sha256: cells.sha256()?,
        check_number: cells.text()?,
        device_name: cells.text()?,
        platform: cells.text_option()?,
        previous_device_id: cells.uuid_option()?.map(Into::into),
        claimed_at: cells.instant()?,
        status: cells.word(ClaimStatus::parse)?,
        device_id: cells.uuid_option()?.map(Into::into),
        decided_by: cells.uuid_option()?.map(Into::into),
        decided_at: cells.instant_option()?,
        token_delivered_until: cells.instant_option()?,
    };
    Ok(WaitingClaim { claim, functions: cells.parsed()?, scope: cells.parsed()? })
}
