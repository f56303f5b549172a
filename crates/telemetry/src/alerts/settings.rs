//! What was chosen for all rules at once.

use serde::{Deserialize, Serialize};

use super::rule::{QuietHours, Rule, Sink};

/// Ways that hold for every rule, and the hours in which all of them keep quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Whether the laptop's desktop shows messages at all.
    pub desktop: bool,
    /// Whether every message goes to the phones of admins, too.
    pub push: bool,
    /// Whether every message goes to the webhook, too: it is, once somebody has set one.
    pub webhook: bool,
    /// When only critical messages are sent, for rules without hours of their own.
    pub quiet_hours: Option<QuietHours>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { desktop: true, push: false, webhook: false, quiet_hours: None }
    }
}

impl Settings {
    /// The rule as it is followed. The open desks always hear of it, so nobody can silence all ways by accident.
    pub fn applied(&self, rule: &Rule) -> Rule {
        let mut sinks: Vec<Sink> = rule.sinks.iter().copied().filter(|sink| self.allows(*sink)).collect();
        let wanted = [(Sink::Stream, true), (Sink::Push, self.push), (Sink::Webhook, self.webhook)];
        sinks.extend(wanted.into_iter().filter(|(_, wanted)| *wanted).map(|(sink, _)| sink));
        sinks.sort_unstable();
        sinks.dedup();
        Rule { sinks, quiet_hours: rule.quiet_hours.or(self.quiet_hours), ..rule.clone() }
    }

    fn allows(self, sink: Sink) -> bool {
        match sink {
            Sink::Desktop => self.desktop,
            // Without an address there is nobody to tell.
            Sink::Webhook => self.webhook,
            Sink::Stream | Sink::Push => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveTime;

    use super::super::built_in;
    use super::*;

    fn rule(sinks: &[Sink]) -> Rule {
        let rule = built_in().into_iter().find(|rule| rule.id == "slow_answers").unwrap();
        Rule { sinks: sinks.to_vec(), ..rule }
    }

    #[test]
    fn ways_are_muted_and_added_for_all_rules() {
        let sinks = |settings: Settings, sinks: &[Sink]| settings.applied(&rule(sinks)).sinks;
        let usual = Settings::default();
        assert_eq!(sinks(usual, &[Sink::Stream, Sink::Desktop]), [Sink::Desktop, Sink::Stream]);
        assert_eq!(sinks(usual, &[Sink::Webhook]), [Sink::Stream], "there is no address");
        let silent = Settings { desktop: false, ..usual };
        assert_eq!(sinks(silent, &[Sink::Desktop]), [Sink::Stream], "the open desks hear of it");
        let all = Settings { push: true, webhook: true, ..usual };
        assert_eq!(sinks(all, &[Sink::Desktop]), [Sink::Desktop, Sink::Stream, Sink::Push, Sink::Webhook]);
        assert_eq!(all.applied(&rule(&[Sink::Desktop])).check(), Ok(()));
    }

    #[test]
    fn a_rules_own_hours_win() {
        let hours = |hour| {
            let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
            Some(QuietHours { from: time(hour), until: time(hour + 1) })
        };
        let settings = Settings { quiet_hours: hours(3), ..Settings::default() };
        assert_eq!(settings.applied(&rule(&[Sink::Stream])).quiet_hours, hours(3));
        let own = Rule { quiet_hours: hours(7), ..rule(&[Sink::Stream]) };
        assert_eq!(settings.applied(&own).quiet_hours, hours(7));
    }
}
