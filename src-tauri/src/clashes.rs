//! Tells the desktop when clashes arrive: one message for all that come together, none for a clash already told.
//!
//! A wake-up carries no data, so the message has a number and no names; a click on it leads to the page that has the
//! rest.

use std::collections::HashSet;
use std::time::Duration;

use showdesk_server::engine::Wake;
use tauri::AppHandle;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::message::Messages;
use crate::{window, words};

/// A phone that comes back brings many clashes within a moment: they are one message.
const GATHER_TIME: Duration = Duration::from_secs(2);
/// More open clashes than this are not remembered one by one; the message may then come twice.
const TOLD_MAX: usize = 10_000;

/// Shows a message for new clashes until the show is closed.
pub(crate) async fn announce(app: AppHandle, mut wakes: broadcast::Receiver<Wake>) {
    let mut told = Told::default();
    let mut messages = Messages::default();
    while let Some(group) = next_group(&mut wakes, &mut told).await {
        messages.show(&app, words::clashes(group.count), group.address()).await;
    }
}

/// Clashes that came together.
#[derive(Debug, PartialEq, Eq)]
struct Group {
    first: Uuid,
    count: usize,
}

impl Group {
    /// Where the page shows them.
    fn address(&self) -> String {
        match self.count {
            1 => format!("{}/{}", window::CHECKS, self.first),
            _ => window::CHECKS.to_owned(),
        }
    }
}

/// Which open clashes the desktop has been told of.
#[derive(Default)]
struct Told {
    open: HashSet<Uuid>,
}

impl Told {
    /// Takes a wake-up; answers the clash if it is one that nobody was told of.
    fn new_in(&mut self, wake: &Wake) -> Option<Uuid> {
        let Wake::Conflict { id, status, .. } = wake else { return None };
        if status != "open" {
            self.open.remove(id);
            return None;
        }
        if self.open.len() >= TOLD_MAX {
            self.open.clear();
        }
        self.open.insert(*id).then_some(*id)
    }
}

/// Waits for a new clash and for those that come with it. None when the show is closed.
async fn next_group(wakes: &mut broadcast::Receiver<Wake>, told: &mut Told) -> Option<Group> {
    let first = loop {
        match wakes.recv().await {
            Ok(wake) => {
                if let Some(id) = told.new_in(&wake) {
                    break id;
                }
            }
            // Wake-ups that were missed: the page counts, the message only calls.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    };
    let mut count = 1;
    let until = Instant::now() + GATHER_TIME;
    while let Ok(received) = timeout_at(until, wakes.recv()).await {
        match received {
            Ok(wake) => count += usize::from(told.new_in(&wake).is_some()),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => break,
        }
    }
    Some(Group { first, count })
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
        let group = next_group(&mut wakes, &mut told).await.unwrap();
        assert_eq!(group, Group { first: Uuid::from_u128(1), count: 2 });
        assert_eq!(group.address(), "#/needs-checking");
        assert_eq!(next_group(&mut wakes, &mut told).await, None);
    }

    #[test]
    fn one_clash_is_opened_itself() {
        let group = Group { first: Uuid::from_u128(7), count: 1 };
        assert_eq!(group.address(), "#/needs-checking/00000000-0000-0000-0000-000000000007");
    }

    #[test]
    fn a_clash_is_told_again_only_after_it_was_closed() {
        let mut told = Told::default();
        let wakes = [conflict(1, "open"), conflict(1, "open"), conflict(1, "resolved"), conflict(1, "open")];
        let new: Vec<bool> = wakes.iter().map(|wake| told.new_in(wake).is_some()).collect();
        assert_eq!(new, [true, false, false, true]);
    }
}
