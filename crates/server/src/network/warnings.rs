//! What somebody at the desk should know about the network and the secrets, in plain words.

use chrono::TimeDelta;
use showdesk_engine::{Engine, KeptIn};

use super::addresses;
use super::{Network, NoHttps};

/// An authority's end is told so long before.
const ENDING_SOON: TimeDelta = TimeDelta::days(60);

/// A fact that somebody should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Warning {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

fn warning(code: &'static str, detail: impl Into<String>) -> Warning {
    Warning { code, detail: detail.into() }
}

impl Network {
    /// Everything that is not as it should be now, the most important first.
    pub(crate) fn warnings(&self, engine: &Engine) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let bound = self.bound.http.ip();
        let offered = addresses::offered(bound, &(self.interfaces)());
        if bound.is_unspecified() && offered.iter().all(std::net::IpAddr::is_loopback) {
            warnings.push(warning(
                "no_network",
                "This laptop is in no network, so no phone can reach it. Join the Wi-Fi first.",
            ));
        }
        match self.no_https() {
            Some(NoHttps::PortTaken(port)) => warnings.push(warning(
                "https_port_taken",
                format!(
                    "Another program on this laptop uses port {port}, so phones cannot be made field-ready. \
                     Close that program, then start Showdesk again."
                ),
            )),
            Some(NoHttps::Off) => warnings.push(warning(
                "https_off",
                "HTTPS is switched off on this laptop, so phones cannot be made field-ready.",
            )),
            None => {}
        }
        let vault = engine.vault();
        if vault.is_locked {
            warnings.push(warning("secrets_locked", locked(vault.fault.as_deref())));
        }
        if vault.kept_in == KeptIn::File {
            warnings.push(warning("secrets_in_file", secrets_in_file()));
        }
        if let Some(trust) = self.trust()
            && trust.authority.expires_at - engine.now() < ENDING_SOON
        {
            let day = trust.authority.expires_at.format("%-d %B %Y");
            let detail = if trust.has_ended(engine.now()) {
                format!(
                    "By this laptop's clock phones trust it no more since {day}. If the clock is wrong, set it right: \
                     nothing else is needed. If it is right, renew the laptop between two shows."
                )
            } else {
                format!("Phones trust this laptop until {day}. Renew it before that, between two shows.")
            };
            warnings.push(warning("authority_expiring", detail));
        }
        if let (Some(fault), Some(name)) = (self.name_fault(), self.local_name()) {
            tracing::debug!(fault, "the name is not told");
            warnings.push(warning(
                "name_not_announced",
                format!(
                    "This network does not pass on the name {name}. Phones reach the laptop by its number all the same."
                ),
            ));
        }
        warnings
    }
}

/// Why phones cannot be shown a certificate, and what helps.
fn locked(fault: Option<&str>) -> String {
    match fault {
        Some(fault) => format!(
            "The key to this show's secrets cannot be reached ({fault}), so phones that trust the show cannot check \
             this laptop. Unlock the laptop's keychain; Showdesk looks again every half minute."
        ),
        None => "The key to this show's secrets is not on this laptop, so phones that trust the show cannot check it. \
                 Start the laptop that has the key, or begin anew: then each phone has to trust the laptop again."
            .to_owned(),
    }
}

/// Why a file is worse than a keychain.
pub(crate) fn secrets_in_file() -> &'static str {
    "The key to this show's secrets lies in a file of the data folder, not in the laptop's keychain. Whoever copies the \
     whole folder has it, too."
}
