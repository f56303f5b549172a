//! Tells the desktop what those who run the show must hear at once: an emergency, and that a provider of messages
//! fails. What is less urgent stands in the page.

use std::time::Duration;

use showdesk_server::engine::api::notifications::Notice;
use showdesk_server::engine::{Engine, EngineError, Wake};
use tauri::AppHandle;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::message::{Messages, Urgency};
use crate::words;

/// Messages that are looked at together.
const READ_MAX: i64 = 20;
/// How long it waits after it could not read.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
/// Where the page shows what was sent.
const MESSAGES: &str = "#/messages";
/// The kind of message that tells of a push provider.
const PROVIDER: &str = "provider";

/// Shows what comes for whom the laptop belongs to, until the show is closed.
pub(crate) async fn announce(app: AppHandle, engine: Engine, mut wakes: broadcast::Receiver<Wake>) {
    let mut messages = Messages::default();
    let mut last = None;
    let mut is_behind = true;
    loop {
        if !is_behind {
            match wakes.recv().await {
                // Missed ones may have been about this; and after a restore the numbers begin again below.
                Ok(Wake::Notified | Wake::Epoch(_)) | Err(RecvError::Lagged(_)) => {}
                Ok(_) => continue,
                Err(RecvError::Closed) => return,
            }
        }
        match news(&engine, last).await {
            Ok((up_to, found)) => {
                last = Some(up_to);
                is_behind = i64::try_from(found.len()).is_ok_and(|count| count >= READ_MAX);
                for notice in found.into_iter().filter(is_for_the_desktop) {
                    let address = address_of(&notice);
                    messages.show(&app, words::notice(&notice, urgency_of(&notice)), address).await;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "what is told to staff could not be read");
                is_behind = true;
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }
}

/// What came after a number, and the number to go on from. Without one, and with one that is not reached any more
/// since an older copy was put back, that is the newest: what was said before is no news.
async fn news(engine: &Engine, last: Option<i64>) -> Result<(i64, Vec<Notice>), EngineError> {
    let newest = engine.last_notice_for_desk().await?;
    let Some(last) = last.filter(|last| *last <= newest) else { return Ok((newest, Vec::new())) };
    let found = engine.notices_for_desk(last, READ_MAX).await?;
    Ok((found.last().map_or(last, |notice| notice.seq), found))
}

/// Whether somebody at the laptop must hear it now. What was looked at or taken back is no news.
fn is_for_the_desktop(notice: &Notice) -> bool {
    let is_new = notice.state.as_str() == "waiting" && notice.retracted_at.is_none();
    is_new && (notice.priority.as_str() == "urgent" || notice.kind == PROVIDER)
}

fn urgency_of(notice: &Notice) -> Urgency {
    if notice.priority.as_str() == "urgent" { Urgency::Urgent } else { Urgency::Normal }
}

/// Where a click leads: where the message says, if that is a place of the page.
fn address_of(notice: &Notice) -> String {
    let open = notice.data.get("open").and_then(|open| open.as_str());
    open.filter(|open| open.starts_with("#/")).unwrap_or(MESSAGES).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn notice(kind: &str, priority: &str, state: &str, data: Value) -> Notice {
        let parse = |word: &str| serde_json::from_value(json!(word));
        Notice {
            seq: 1,
            id: uuid::Uuid::nil(),
            kind: kind.to_owned(),
            title: "Lightning".to_owned(),
            body: None,
            priority: parse(priority).unwrap(),
            needs_ack: true,
            data,
            from: None,
            created_at: std::time::SystemTime::UNIX_EPOCH.into(),
            sent_at: std::time::SystemTime::UNIX_EPOCH.into(),
            expires_at: None,
            retracted_at: None,
            reminded_at: None,
            state: serde_json::from_value(json!(state)).unwrap(),
        }
    }

    #[test]
    fn the_desktop_tells_emergencies_and_trouble_and_nothing_else() {
        let told = |kind, priority, state| is_for_the_desktop(&notice(kind, priority, state, json!({})));
        assert!(told("weather", "urgent", "waiting"));
        assert!(told(PROVIDER, "high", "waiting"));
        assert!(!told("class_call", "high", "waiting"));
        assert!(!told("weather", "urgent", "seen"), "who sent it knows it");
    }

    #[test]
    fn a_click_leads_to_a_place_of_the_page() {
        let address = |open: &str| address_of(&notice(PROVIDER, "high", "waiting", json!({"open": open})));
        assert_eq!(address("#/settings/messages"), "#/settings/messages");
        for elsewhere in ["https://example.org", "javascript:alert(1)", ""] {
            assert_eq!(address(elsewhere), MESSAGES);
        }
    }
}
