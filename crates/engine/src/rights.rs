//! Where use cases ask whether somebody may do what is wanted: the rules stand in [`showdesk_domain::permit`].

use showdesk_domain::actor::Actor;
use showdesk_domain::conflict::Conflict;
use showdesk_domain::permit::{Action, Resource, authorize};

use crate::{EngineError, Result};

/// Goes on if the actor may do that with the show.
pub(crate) fn require(actor: &Actor, action: Action) -> Result<()> {
    authorize(actor, action, &Resource::Show).map_err(|rejection| EngineError::Forbidden(rejection.detail))
}

/// Whether the actor may do that with the clash.
pub(crate) fn may_with_clash(actor: &Actor, action: Action, clash: &Conflict) -> bool {
    let resource = Resource::Clash { device: clash.device_id, server_person: clash.server_user_id };
    authorize(actor, action, &resource).is_ok()
}

/// Why somebody who was known a moment ago is refused.
pub(crate) fn not_in_the_team() -> EngineError {
    EngineError::Forbidden("this person does not belong to the show any more".to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// A right that nobody asks for is none: whoever reads the rules would believe in a door that stands open.
    #[test]
    fn every_action_is_asked_for() {
        let engine = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let domain = engine.join("../../domain/src");
        let rules = fs::read_to_string(domain.join("permit.rs")).expect("the rules");
        let (_, listed) = rules.split_once("pub enum Action {").expect("the actions");
        let (listed, _) = listed.split_once("\n}").expect("their end");
        let is_name = |line: &&str| line.starts_with(char::is_uppercase) && line.ends_with(',');
        let actions: Vec<&str> =
            listed.lines().map(str::trim).filter(is_name).map(|line| line.trim_end_matches(',')).collect();
        assert!(actions.len() > 15, "{actions:?}");
        let asking = texts_in(&engine) + &texts_in(&domain.join("world"));
        let is_asked =
            |action: &str| ["Action", "Right"].iter().any(|name| asks(&asking, &format!("{name}::{action}")));
        let unasked: Vec<&&str> = actions.iter().filter(|action| !is_asked(action)).collect();
        assert!(unasked.is_empty(), "nobody asks for {unasked:?}");
    }

    /// Whether the text names the action, and not one that only begins like it.
    fn asks(text: &str, action: &str) -> bool {
        let goes_on = |rest: &str| rest.starts_with(|letter: char| letter.is_alphanumeric());
        text.match_indices(action).any(|(at, found)| !goes_on(&text[at + found.len()..]))
    }

    fn texts_in(folder: &Path) -> String {
        let entries = fs::read_dir(folder).expect("a folder of sources").map(|entry| entry.expect("a file").path());
        let text = |path: std::path::PathBuf| match path.extension().is_some_and(|kind| kind == "rs") {
            true => fs::read_to_string(&path).expect("a source"),
            false if path.is_dir() => texts_in(&path),
            false => String::new(),
        };
        entries.map(text).collect()
    }
}
