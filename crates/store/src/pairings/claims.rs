//! Phones that showed a code, and the desk's answers to them.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use showdesk_domain::actor::{Function, Scope};
use showdesk_domain::ids::{DeviceId, PersonId};
use uuid::Uuid;

use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql;
use crate::{Result, Tx};

const CLAIM: &[&str] = &[
    "id",
    "pairing_id",
    "secret_sha256",
    "check_number",
    "device_name",
    "platform",
    "previous_device_id",
    "claimed_at",
    "address",
    "status",
    "device_id",
    "decided_by",
    "decided_at",
    "token_delivered_until",
];

static ADD_CLAIM: LazyLock<&str> = LazyLock::new(|| sql::keep(sql::insert("pairing_claims", CLAIM, 1)));
pub(super) static CLAIM_BY_SECRET: LazyLock<&str> = LazyLock::new(|| claims_where("c.secret_sha256 = $1"));
static CLAIM_BY_ID: LazyLock<&str> = LazyLock::new(|| claims_where("c.id = $1"));
static WAITING: LazyLock<&str> =
    LazyLock::new(|| claims_where("c.status = 'waiting' ORDER BY c.claimed_at DESC, c.id DESC LIMIT $1"));
pub(super) const COUNT_WAITING: &str = "SELECT COUNT(*), COUNT(CASE WHEN pairing_id = $2 THEN 1 END), \
     COUNT(CASE WHEN address = $3 THEN 1 END) FROM pairing_claims WHERE status = 'waiting' AND claimed_at > $1";

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
    /// From which address; none of claims that an older program took.
    pub address: Option<String>,
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

/// How many phones wait for the desk's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingCounts {
    /// All of them.
    pub in_all: i64,
    /// Those that showed one code.
    pub of_code: i64,
    /// Those that asked from one address.
    pub of_address: i64,
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
    /// Until when its phone may stay; none means for ever.
    pub device_expires_at: Option<DateTime<Utc>>,
    /// Whose its phone is, once it was let in.
    pub person: Option<PersonId>,
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

/// Adds a phone's claim, after [`use_code`](super::use_code) gave it the code's row.
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
        row.address.clone(),
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

/// The newest claims that wait for the desk, oldest first.
pub async fn waiting(tx: &mut Tx, limit: i64) -> Result<Vec<WaitingClaim>> {
    tx.rows(*WAITING, values![limit]).await?.iter().rev().map(read_claim).collect()
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

/// Refuses the phones that wait with a code; tells how many.
pub async fn refuse_all_of(tx: &mut Tx, id: Uuid, by: PersonId, at: DateTime<Utc>) -> Result<u64> {
    let sql = "UPDATE pairing_claims SET status = 'refused', decided_by = $2, decided_at = $3 \
               WHERE pairing_id = $1 AND status = 'waiting'";
    tx.execute(sql, values![id, by, at]).await
}

/// Refuses phones that wait with codes that were over before the moment; tells how many.
pub async fn refuse_forgotten(tx: &mut Tx, over_before: DateTime<Utc>, by: PersonId, at: DateTime<Utc>) -> Result<u64> {
    let sql = "UPDATE pairing_claims SET status = 'refused', decided_by = $2, decided_at = $3 WHERE status = 'waiting' \
               AND pairing_id IN (SELECT p.id FROM pairings p WHERE p.code_expires_at <= $1)";
    tx.execute(sql, values![over_before, by, at]).await
}

/// How many phones that asked after the moment wait for an answer: in all, with this code, from this address.
pub async fn count_waiting(tx: &mut Tx, after: DateTime<Utc>, code: Uuid, address: &str) -> Result<WaitingCounts> {
    let row = tx.row(COUNT_WAITING, values![after, code, address]).await?.expect("a count without groups is one row");
    let mut cells = Cells::new(&row, "pairing_claims", &["in_all", "of_code", "of_address"]);
    Ok(WaitingCounts { in_all: cells.int()?, of_code: cells.int()?, of_address: cells.int()? })
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
        "SELECT {}, p.functions, p.scope, p.device_expires_at, \
         (SELECT d.profile_id FROM devices d WHERE d.id = c.device_id) FROM pairing_claims c \
         JOIN pairings p ON p.id = c.pairing_id WHERE {condition}",
        columns.join(", ")
    ))
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
        address: cells.text_option()?,
        status: cells.word(ClaimStatus::parse)?,
        device_id: cells.uuid_option()?.map(Into::into),
        decided_by: cells.uuid_option()?.map(Into::into),
        decided_at: cells.instant_option()?,
        token_delivered_until: cells.instant_option()?,
    };
    let (functions, scope) = (cells.parsed()?, cells.parsed()?);
    let device_expires_at = cells.instant_option()?;
    let person = cells.uuid_option()?.map(Into::into);
    Ok(WaitingClaim { claim, functions, scope, device_expires_at, person })
}
