//! What alerts are about, in people's words.

use std::collections::HashMap;

use showdesk_store::people;
use showdesk_store::telemetry::errors;
use showdesk_telemetry::alerts::Rule;
use showdesk_telemetry::metric::Metric;
use uuid::Uuid;

use crate::delivery::provider_name;
use crate::{Engine, Result};

/// Problems whose titles are known.
const PROBLEMS_MAX: i64 = 100;

/// Names of phones, desks and problems.
#[derive(Debug, Default)]
pub(super) struct AlertNames {
    devices: HashMap<Uuid, String>,
    problems: HashMap<String, String>,
    /// This laptop, where there are several.
    own: Option<String>,
    /// How many entries each phone holds.
    unsent: HashMap<String, u64>,
}

impl AlertNames {
    /// The name of what a rule is about; none for the laptop or the show as a whole.
    pub(super) fn of(&self, rule: &Rule, subject: &str) -> Option<String> {
        if subject.is_empty() {
            let is_of_show = super::readings::is_of_show(rule.metric);
            return self.own.clone().filter(|_| !is_of_show);
        }
        match rule.metric {
            Metric::ProviderOpen => Some(provider_name(subject)),
            Metric::ProblemBack => Some(
                self.problems.get(subject).cloned().unwrap_or_else(|| "A problem that is not kept any more".to_owned()),
            ),
            _ => {
                let device = Uuid::try_parse(subject).ok();
                let name = device.and_then(|id| self.devices.get(&id));
                Some(name.map_or_else(|| "A phone that was removed".to_owned(), |name| phone_of(name)))
            }
        }
    }
}

impl AlertNames {
    /// The same as it may leave the show: no device is named, since people name theirs as they like.
    pub(super) fn outside(&self, rule: &Rule, subject: &str) -> Option<String> {
        if subject.is_empty() {
            return self.of(rule, subject).map(|_| "A laptop of the show".to_owned());
        }
        let unsent = self.unsent.get(subject).copied().unwrap_or(0);
        match rule.metric {
            Metric::ProviderOpen | Metric::ProblemBack => self.of(rule, subject),
            Metric::PhoneAwayUnsent if unsent == 1 => Some("A phone with 1 unsent entry".to_owned()),
            Metric::PhoneAwayUnsent if unsent > 1 => Some(format!("A phone with {unsent} unsent entries")),
            _ => Some("A phone".to_owned()),
        }
    }
}

/// `Maria's phone`, and `Scale 1` as it is: a name with a figure in it is that of a place.
fn phone_of(name: &str) -> String {
    let is_place = name.contains(|sign: char| sign.is_ascii_digit());
    let says_it = ["phone", "tablet", "pad"].iter().any(|word| name.to_lowercase().contains(word));
    match name.chars().last() {
        _ if is_place || says_it => name.to_owned(),
        Some('s' | 'x') => format!("{name}' phone"),
        _ => format!("{name}'s phone"),
    }
}

impl Engine {
    /// The names that alerts may need.
    pub(super) async fn alert_names(&self) -> Result<AlertNames> {
        let mut tx = self.begin_read_desk().await?;
        let devices: HashMap<Uuid, String> =
            people::devices(&mut tx).await?.into_iter().map(|row| (row.device.id.0, row.device.name)).collect();
        drop(tx);
        let problems = match self.begin_read_telemetry().await {
            Ok(mut tx) => errors::regressed(&mut tx, PROBLEMS_MAX).await?,
            // What cannot be read is not told of, either.
            Err(_) => Vec::new(),
        };
        let unsent = self.measured().into_iter().filter(|one| one.metric == Metric::PhoneUnsent && one.value >= 1.0);
        Ok(AlertNames {
            own: devices.get(&self.inner.desk_device.0).cloned().filter(|_| self.db().is_shared()),
            devices,
            problems: problems.into_iter().map(|group| (group.fingerprint, group.title)).collect(),
            unsent: unsent.map(|one| (one.subject, whole(one.value))).collect(),
        })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it counts entries, from 1 on")]
fn whole(value: f64) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use showdesk_telemetry::alerts::built_in;

    use super::*;

    #[test]
    fn what_leaves_the_show_names_no_phone() {
        let id = Uuid::from_u128(7);
        let rule = |metric: Metric| built_in().into_iter().find(|rule| rule.metric == metric).expect("a built-in rule");
        let names = AlertNames {
            devices: [(id, "Maria 2".to_owned())].into(),
            own: Some("Dan's laptop".to_owned()),
            unsent: [(id.to_string(), 12)].into(),
            ..AlertNames::default()
        };
        let outside = |metric: Metric, subject: &str| names.outside(&rule(metric), subject);
        let phone = id.to_string();
        assert_eq!(outside(Metric::PhoneAwayUnsent, &phone).as_deref(), Some("A phone with 12 unsent entries"));
        assert_eq!(outside(Metric::ClockSkew, &phone).as_deref(), Some("A phone"));
        assert_eq!(outside(Metric::DiskFree, "").as_deref(), Some("A laptop of the show"));
        assert_eq!(outside(Metric::QueueAge, ""), None, "it is about the show");
        assert_eq!(outside(Metric::ProviderOpen, "fcm"), names.of(&rule(Metric::ProviderOpen), "fcm"));
        assert_eq!(
            names.of(&rule(Metric::ClockSkew), &phone).as_deref(),
            Some("Maria 2"),
            "at the desk it has its name"
        );
    }

    #[test]
    fn a_phone_is_called_by_whose_it_is_or_where_it_stands() {
        for (name, expected) in [
            ("Maria", "Maria's phone"),
            ("Chris", "Chris' phone"),
            ("Scale 1", "Scale 1"),
            ("Dan's iPad", "Dan's iPad"),
            ("Barn phone", "Barn phone"),
        ] {
            assert_eq!(phone_of(name), expected);
        }
    }
}
