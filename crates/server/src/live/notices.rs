//! Messages of one reader on its stream: those that were told since the number that its phone has heard, each once and
//! in order, whoever was faster.

use std::collections::VecDeque;

use axum::http::HeaderMap;
use axum::http::header::HeaderName;
use showdesk_domain::actor::Actor;
use showdesk_engine::{Engine, EngineError, ToldNotice};

use crate::last_event::last_event;

/// Messages that wait for their reader; with more it reads from the database again.
const NOTICES_MAX: usize = 64;
/// Up to which number the phone has heard its stream.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The reader's own messages.
pub(super) struct Notices {
    /// The highest number that was told, or waits to be.
    last: i64,
    waiting: VecDeque<ToldNotice>,
    /// There may be some after `last` that were not heard: they are read.
    is_behind: bool,
}

impl Notices {
    /// Those after the number that the phone told. `latest` is its stream's last one.
    pub(super) fn after(heard: Option<i64>, latest: i64) -> Self {
        // A number that this stream never had is another stream's: its phone hears this one from the beginning.
        let last = heard.map_or(latest, |heard| if heard > latest { 0 } else { heard });
        Self { last, waiting: VecDeque::new(), is_behind: heard.is_some() }
    }

    /// Takes in a message that was told to all. One that was told before is passed over; who is behind reads it.
    pub(super) fn hear(&mut self, notice: &ToldNotice) {
        if self.is_behind || notice.seq <= self.last {
            return;
        }
        if self.waiting.len() == NOTICES_MAX {
            self.is_behind = true;
            return;
        }
        self.last = notice.seq;
        self.waiting.push_back(notice.clone());
    }

    /// Some may have been told that were not heard.
    pub(super) fn fall_behind(&mut self) {
        self.is_behind = true;
    }

    /// Whether there is one to be told, or perhaps one to be read.
    pub(super) fn has_more(&self) -> bool {
        self.is_behind || !self.waiting.is_empty()
    }

    /// The next one that waits, as an event.
    pub(super) fn next(&mut self) -> Option<String> {
        let notice = self.waiting.pop_front()?;
        Some(format!("id: {}\nevent: notification\ndata: {}\n\n", notice.seq, notice.json()))
    }

    /// Reads messages that were not heard.
    pub(super) async fn catch_up(&mut self, engine: &Engine, actor: &Actor) -> Result<(), EngineError> {
        let limit = i64::try_from(NOTICES_MAX).expect("a small number");
        let found = engine.notices_after(actor, self.last, limit).await?;
        self.is_behind = found.len() == NOTICES_MAX;
        self.last = found.last().map_or(self.last, |notice| notice.seq);
        self.waiting.extend(found);
        Ok(())
    }

    /// What waits is told no more.
    pub(super) fn end(&mut self) {
        self.waiting.clear();
        self.is_behind = false;
    }
}

/// The number that the phone told. What is none is as good as none: a stream is never refused for it, and what its
/// phone lacks it reads by /me/notifications.
pub(super) fn heard_up_to(headers: &HeaderMap) -> Option<i64> {
    let mut values = headers.get_all(LAST_EVENT_ID).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => last_event(value.as_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_the_header_is_read_and_anything_else_is_none() {
        let headers = |values: &[&'static str]| -> HeaderMap {
            values.iter().map(|value| (LAST_EVENT_ID, value.parse().expect("a value"))).collect()
        };
        assert_eq!(heard_up_to(&headers(&["0"])), Some(0));
        assert_eq!(heard_up_to(&headers(&["9223372036854775807"])), Some(i64::MAX));
        for values in [&[][..], &["-1"], &[""], &["1e3"], &["9223372036854775808"], &["1", "1"], &["1 "]] {
            assert_eq!(heard_up_to(&headers(values)), None, "{values:?}");
        }
    }
}
