//! Tells the desktop what the desk's alerts say: trouble, and that it is over. Which of them, people choose in the page.

use std::time::Duration;

use showdesk_server::engine::api::alerts::DesktopAlert;
use showdesk_server::engine::{Engine, Wake};
use tauri::AppHandle;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::message::{Messages, Urgency};
use crate::words;

/// How long it waits after it could not read.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Shows what alerts say, each once, until the show is closed. What was said before the program was started is no news.
pub(crate) async fn announce(app: AppHandle, engine: Engine, mut wakes: broadcast::Receiver<Wake>) {
    let mut messages = Messages::default();
    let mut place = None;
    loop {
        match engine.alerts_for_desktop(place.clone()).await {
            Ok((up_to, found)) => {
                place = Some(up_to);
                let may_be_more = !found.is_empty();
                for alert in found {
                    let (message, address) = (words::alert(&alert, urgency_of(&alert)), alert.open);
                    messages.show(&app, message, address).await;
                }
                if may_be_more {
                    continue;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "what alerts say could not be read");
                tokio::time::sleep(AGAIN_AFTER).await;
                continue;
            }
        }
        if !heard(&mut wakes).await {
            return;
        }
    }
}

/// Waits until an alert may have been said; false when the show is closed.
async fn heard(wakes: &mut broadcast::Receiver<Wake>) -> bool {
    loop {
        match wakes.recv().await {
            // Missed ones may have been about this.
            Ok(Wake::Alerts) | Err(RecvError::Lagged(_)) => return true,
            Ok(_) => {}
            Err(RecvError::Closed) => return false,
        }
    }
}

fn urgency_of(alert: &DesktopAlert) -> Urgency {
    if alert.is_urgent { Urgency::Urgent } else { Urgency::Normal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_may_be_an_alert_is_looked_at() {
        let (sender, mut wakes) = broadcast::channel(2);
        sender.send(Wake::Clock(1)).unwrap();
        sender.send(Wake::Alerts).unwrap();
        assert!(heard(&mut wakes).await);
        for _ in 0..5 {
            sender.send(Wake::Pairings).unwrap();
        }
        assert!(heard(&mut wakes).await, "one may have been among those that were missed");
        drop(sender);
        assert!(!heard(&mut wakes).await);
    }
}
