//! Whether those who asked also read: over HTTP/2 a client can answer every ping, let no byte of an answer out, and so
//! hold what was made for it for ever. No write to its socket waits then; only the body is not asked for more.
//!
//! An answer's body notes whose turn it is. As long as it has nothing to give it is ours; once it gave a piece it is the
//! reader's. `accept` ends a connection with a reader that lets its turn pass for too long.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::{Duration, Instant, sleep_until};

/// A reader has so long to take a piece.
pub(crate) const READ_TIME: Duration = Duration::from_secs(30);
/// A large answer is given in pieces of this size, so that a slow reader is seen to read.
const PIECE_BYTES: usize = 16 * 1024;

/// The readers of one connection.
#[derive(Default)]
pub(crate) struct Readers {
    turns: Mutex<Turns>,
    begun: Notify,
}

#[derive(Default)]
struct Turns {
    next: u64,
    /// Since when answers wait for their reader.
    since: BTreeMap<u64, Instant>,
}

impl Readers {
    /// The same body, and from now on it is known whether it is read.
    ///
    /// What the protocol still holds back when a body has ended cannot be seen from here. With `lets_through` false a
    /// last byte is a piece of its own: HTTP/2 asks for it only when the reader has made room for all before it.
    pub(crate) fn watch(self: &Arc<Self>, body: Body, lets_through: bool) -> Body {
        if body.is_end_stream() {
            return body;
        }
        let mut turns = self.lock();
        let id = turns.next;
        turns.next += 1;
        drop(turns);
        let watched = Watched { body, given: Bytes::new(), lets_through, id, readers: Arc::clone(self) };
        watched.note_turn(true);
        Body::new(watched)
    }

    /// Waits until some reader has let its turn pass.
    pub(crate) async fn stalled(&self) {
        loop {
            // No guard may live across the waiting.
            let oldest = self.lock().since.values().min().copied();
            match oldest {
                None => self.begun.notified().await,
                Some(since) if since.elapsed() >= READ_TIME => return,
                Some(since) => sleep_until(since + READ_TIME).await,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Watched {
    body: Body,
    /// What is left of the piece that the body gave last.
    given: Bytes,
    lets_through: bool,
    id: u64,
    readers: Arc<Readers>,
}

impl Watched {
    fn note_turn(&self, is_readers: bool) {
        let mut turns = self.readers.lock();
        if !is_readers {
            turns.since.remove(&self.id);
            return;
        }
        let is_first = turns.since.is_empty();
        turns.since.insert(self.id, Instant::now());
        drop(turns);
        if is_first {
            self.readers.begun.notify_one();
        }
    }

    fn next_piece(&mut self) -> Bytes {
        let all = self.given.len();
        let rest = usize::from(!self.lets_through && all > 1);
        self.given.split_to(PIECE_BYTES.min(all - rest))
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.given.is_empty() {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => self.given = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => {
                    self.note_turn(false);
                    return other;
                }
            }
        }
        let piece = self.next_piece();
        self.note_turn(true);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.given.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (given, body) = (self.given.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(given));
        if let Some(upper) = body.upper().and_then(|upper| upper.checked_add(given)) {
            hint.set_upper(upper);
        }
        hint
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.note_turn(false);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{FutureExt, StreamExt, stream};
    use http_body_util::BodyExt;

    use super::*;

    fn waiting(readers: &Readers) -> usize {
        readers.lock().since.len()
    }

    #[tokio::test]
    async fn an_answer_is_the_same_in_pieces() {
        for lets_through in [true, false] {
            for length in [1, 2, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES + 7] {
                let bytes: Vec<u8> = (0_u8..=255).cycle().take(length).collect();
                let readers = Arc::new(Readers::default());
                let mut body = readers.watch(Body::from(bytes.clone()), lets_through);
                assert_eq!(body.size_hint().exact(), Some(length as u64));
                let mut read = Vec::new();
                while let Some(frame) = body.frame().await {
                    let data = frame.expect("a piece").into_data().expect("data");
                    assert!((1..=PIECE_BYTES).contains(&data.len()));
                    read.extend_from_slice(&data);
                    assert_eq!(body.size_hint().exact(), Some((length - read.len()) as u64));
                    assert_eq!(body.is_end_stream(), read.len() == length);
                }
                assert!(read == bytes && waiting(&readers) == 0);
            }
        }
    }

    #[tokio::test]
    async fn an_empty_answer_needs_no_reader() {
        let readers = Arc::new(Readers::default());
        assert!(readers.watch(Body::empty(), false).is_end_stream());
        assert_eq!(waiting(&readers), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_lets_its_turn_pass_is_told_and_one_that_waits_for_us_is_not() {
        let readers = Arc::new(Readers::default());
        let events = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"event"))]).chain(stream::pending());
        let mut body = readers.watch(Body::from_stream(events), true);
        body.frame().await.expect("an event").expect("a piece");
        assert!(body.frame().now_or_never().is_none(), "there is nothing more yet");
        let quiet = tokio::time::timeout(READ_TIME * 10, readers.stalled());
        assert!(quiet.await.is_err(), "who waits for an event is no bad reader");
        drop(body);

        let started = Instant::now();
        let mut slow = readers.watch(Body::from(vec![b'x'; 3 * PIECE_BYTES]), true);
        for _ in 0..3 {
            assert!(tokio::time::timeout(READ_TIME / 2, readers.stalled()).await.is_err());
            slow.frame().await.expect("some are left").expect("a piece");
        }
        readers.stalled().await;
        assert_eq!(started.elapsed(), READ_TIME * 3 / 2 + READ_TIME);
        drop(slow);
        assert!(readers.stalled().now_or_never().is_none(), "nobody waits any more");
    }
}
