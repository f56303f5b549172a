//! Tells the desktop when clashes arrive: one message for all that come together, none for a clash already told.
//!
//! A wake-up carries no data, so the message has a number and no names; the page has the rest.

use std::collections::HashSet;
use std::time::Duration;

use notify_rust::Notification;
use showdesk_server::engine::Wake;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::words;

/// A phone that comes back brings many clashes within a moment: they are one message.
const GATHER_TIME: Duration = Duration::from_secs(2);
/// More open clashes than this are not remembered one by one; the message may then come twice.
const TOLD_MAX: usize = 10_000;

/// Shows a message for new clashes until the show is closed.
pub(crate) async fn announce(mut wakes: broadcast::Receiver<Wake>) {
    let mut told = Told::default();
    while let Some(count) = next_group(&mut wakes, &mut told).await {
        show(count).await;
    }
}

/// Which open clashes the desktop has been told of.
#[derive(Default)]
struct Told {
    open: HashSet<Uuid>,
}

impl Told {
    /// Takes a wake-up; answers whether it is a clash that nobody was told of.
    fn is_new(&mut self, wake: &Wake) -> bool {
        let Wake::Conflict { id, status, .. } = wake else { return false };
        if status != "open" {
            self.open.remove(id);
            return false;
        }
        if self.open.len() >= TOLD_MAX {
            self.open.clear();
        }
        self.open.insert(*id)
    }
}

/// Waits for a new clash and for those that come with it; answers how many. None when the show is closed.
async fn next_group(wakes: &mut broadcast::Receiver<Wake>, told: &mut Told) -> Option<usize> {
    loop {
        match wakes.recv().await {
            Ok(wake) if told.is_new(&wake) => break,
            // Wake-ups that were missed: the page counts, the message only calls.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
    let mut count = 1;
    let until = Instant::now() + GATHER_TIME;
    while let Ok(received) = timeout_at(until, wakes.recv()).await {
        match received {
            Ok(wake) => count += usize::from(told.is_new(&wake)),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => break,
        }
    }
    Some(count)
}

/// Shows the message. A desktop without a notification service is only logged: the page shows the clash as well.
async fn show(count: usize) {
    let message = words::clashes(count);
    let shown = tokio::task::spawn_blocking(move || {
        Notification::new()
            .appname(words::TITLE)
            .icon("showdesk")
            .summary(&message.summary)
            .body(&message.body)
            .show()
            .map(drop)
    });
    match shown.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the desktop took no notification"),
        Err(error) => tracing::error!(%error, "the notification was not sent"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conflict(id: u128, status: &str) -> Wake {
        Wake::Conflict { id: Uuid::from_u128(id), rev: 1, status: status.to_owned() }
    }

    #[tokio::test]
    async fn clashes_that_arrive_together_are_one_message() {
        let (sender, mut wakes) = broadcast::channel(16);
        for wake in [Wake::Clock(1), conflict(1, "open"), conflict(1, "open"), conflict(2, "open"), Wake::Pairings] {
            sender.send(wake).unwrap();
        }
        // The show is closed, which ends the gathering at once.
        drop(sender);
        let mut told = Told::default();
        assert_eq!(next_group(&mut wakes, &mut told).await, Some(2));
        assert_eq!(next_group(&mut wakes, &mut told).await, None);
    }

    #[test]
    fn a_clash_is_told_again_only_after_it_was_closed() {
        let mut told = Told::default();
        let wakes = [conflict(1, "open"), conflict(1, "open"), conflict(1, "resolved"), conflict(1, "open")];
        let new: Vec<bool> = wakes.iter().map(|wake| told.is_new(wake)).collect();
        assert_eq!(new, [true, false, false, true]);
    }
}
