//! What was done beside the synced rows: who joined, was removed, opened joining.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_domain::actor::Actor;
use showdesk_store::audit::AuditRow;
use showdesk_store::{Result, Tx, audit};
use uuid::Uuid;

/// Adds one row about something the actor did.
pub(crate) async fn note(
    tx: &mut Tx,
    actor: &Actor,
    action: &str,
    at: DateTime<Utc>,
    about: Option<Uuid>,
    after: Option<Json>,
) -> Result<()> {
    let row = AuditRow {
        at,
        actor: Some(actor.person),
        device: Some(actor.device),
        action: action.to_owned(),
        table_name: None,
        record_id: about,
        before: None,
        after,
        reason: None,
    };
    audit::add(tx, &[row]).await
}
