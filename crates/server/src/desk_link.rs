//! One-time codes of printed desk links: each opens the desk page in a browser of this machine once.
//!
//! Only hashes are kept, in memory: a link dies with the program.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngCore;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How long a printed link works.
const LINK_TIME: Duration = Duration::from_mins(10);
/// Links that work at once; the oldest dies for a new one.
const LINKS_MAX: usize = 16;

/// The links that have been given out and not used.
#[derive(Default)]
pub(crate) struct DeskLinks(Mutex<Vec<Link>>);

struct Link {
    hash: [u8; 32],
    dies_at: Instant,
}

impl DeskLinks {
    /// A new code: 128 random bits.
    pub(crate) fn issue(&self, now: Instant) -> String {
        let mut bits = [0_u8; 16];
        rand::rng().fill_bytes(&mut bits);
        let code = URL_SAFE_NO_PAD.encode(bits);
        let mut links = self.0.lock().expect("nobody panics while holding it");
        links.retain(|link| link.dies_at > now);
        if links.len() == LINKS_MAX {
            links.remove(0);
        }
        links.push(Link { hash: hash(&code), dies_at: now + LINK_TIME });
        code
    }

    /// Whether the code was given out, is in time and had not been used. It is used now.
    pub(crate) fn redeem(&self, code: &str, now: Instant) -> bool {
        let hash = hash(code);
        let mut links = self.0.lock().expect("nobody panics while holding it");
        let found = links.iter().position(|link| bool::from(link.hash.ct_eq(&hash)));
        found.is_some_and(|index| links.remove(index).dies_at > now)
    }
}

fn hash(code: &str) -> [u8; 32] {
    Sha256::digest(code.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_once() {
        let (links, now) = (DeskLinks::default(), Instant::now());
        let code = links.issue(now);
        assert_eq!(code.len(), 22);
        assert!(!links.redeem("AAAAAAAAAAAAAAAAAAAAAA", now));
        assert!(links.redeem(&code, now));
        assert!(!links.redeem(&code, now));
    }

    #[test]
    fn a_link_dies_after_ten_minutes() {
        let (links, now) = (DeskLinks::default(), Instant::now());
        let code = links.issue(now);
        assert!(!links.redeem(&code, now + LINK_TIME));
    }

    #[test]
    fn the_oldest_link_dies_for_the_seventeenth() {
        let (links, now) = (DeskLinks::default(), Instant::now());
        let codes: Vec<_> = (0..=LINKS_MAX).map(|_| links.issue(now)).collect();
        assert!(!links.redeem(&codes[0], now));
        assert!(links.redeem(&codes[1], now));
    }
}
