//! Whether a push service refuses one subscription, or all of them because of us.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::outcome::Outcome;

use super::WebTarget;
use super::answers::Reading;

/// So many different subscriptions refused, with none taken in between, are no accident.
const MANY: usize = 3;
const SERVICES_MAX: usize = 64;

type Mark = [u8; 32];

/// Subscriptions refused since the last one that was taken, by push service.
#[derive(Default)]
pub(super) struct Refusals {
    by_service: Mutex<HashMap<String, HashSet<Mark>>>,
}

impl Refusals {
    /// What the last answer for this subscription means, beside those before it.
    pub(super) fn settle(&self, target: &WebTarget, reading: Reading) -> Outcome {
        let mut by_service = self.by_service.lock().unwrap_or_else(PoisonError::into_inner);
        match reading {
            Reading::Refused(code) => {
                if by_service.len() >= SERVICES_MAX {
                    by_service.clear();
                }
                let refused = by_service.entry(target.service()).or_default();
                if refused.len() < MANY {
                    refused.insert(Sha256::digest(target.endpoint().as_str()).into());
                }
                if refused.len() < MANY { Outcome::Strike { code } } else { Outcome::Config { code } }
            }
            Reading::TooLarge => Outcome::drop("too_large"),
            Reading::Settled(outcome) => {
                if matches!(outcome, Outcome::Accepted { .. }) {
                    by_service.remove(&target.service());
                }
                outcome
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Reach;
    use crate::outcome::Code;
    use crate::web::VapidKey;
    use crate::web::content::in_letters;

    fn target(endpoint: &str) -> WebTarget {
        let key = VapidKey::parse(&in_letters(&[5; 32])).unwrap();
        WebTarget::parse(endpoint, key.public(), &in_letters(&[1; 16]), Reach::Public).unwrap()
    }

    fn refused() -> Reading {
        Reading::Refused(Code::new("status 403"))
    }

    #[test]
    fn one_subscription_refused_again_and_again_is_struck() {
        let refusals = Refusals::default();
        for _ in 0..10 {
            let outcome = refusals.settle(&target("https://a.example.org/1"), refused());
            assert_eq!(outcome, Outcome::strike("status 403"));
        }
    }

    #[test]
    fn many_refused_without_one_taken_are_our_fault() {
        let refusals = Refusals::default();
        let settle = |endpoint, reading| refusals.settle(&target(endpoint), reading);
        assert_eq!(settle("https://a.example.org/1", refused()), Outcome::strike("status 403"));
        assert_eq!(settle("https://a.example.org/2", refused()), Outcome::strike("status 403"));
        assert_eq!(settle("https://b.example.org/3", refused()), Outcome::strike("status 403"));
        assert_eq!(settle("https://a.example.org/3", refused()), Outcome::config("status 403"));
        assert_eq!(settle("https://a.example.org/1", refused()), Outcome::config("status 403"));
        let taken = Outcome::Accepted { provider_message_id: None };
        assert_eq!(settle("https://a.example.org/4", Reading::Settled(taken.clone())), taken);
        assert_eq!(settle("https://a.example.org/3", refused()), Outcome::strike("status 403"));
    }

    #[test]
    fn a_busy_service_forgives_nothing_and_blames_nobody() {
        let refusals = Refusals::default();
        let settle = |endpoint, reading| refusals.settle(&target(endpoint), reading);
        settle("https://a.example.org/1", refused());
        settle("https://a.example.org/2", refused());
        settle("https://a.example.org/5", Reading::Settled(Outcome::retry("status 503", None)));
        assert_eq!(settle("https://a.example.org/3", refused()), Outcome::config("status 403"));
    }
}
