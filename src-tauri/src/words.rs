//! All words that the shell itself shows. The desk page has its own.

use showdesk_server::StartError;
use showdesk_server::engine::EngineError;

/// The program's name, on windows and messages.
pub(crate) const TITLE: &str = "Showdesk";

/// A desktop message.
pub(crate) struct Message {
    pub(crate) summary: String,
    pub(crate) body: String,
}

/// New clashes have arrived.
pub(crate) fn clashes(count: usize) -> Message {
    let summary =
        if count == 1 { "1 entry needs checking".to_owned() } else { format!("{count} entries need checking") };
    Message { summary, body: "Two people wrote different things. Choose in Needs checking.".to_owned() }
}

/// Where phones join, for the terminal.
pub(crate) fn where_phones_join(addresses: &[String]) -> String {
    format!("Phones join at {}", addresses.join(" or "))
}

/// Why there is no desk.
pub(crate) struct Refusal {
    pub(crate) title: &'static str,
    pub(crate) reason: String,
    pub(crate) advice: &'static str,
}

/// Puts a failed start into words.
pub(crate) fn refusal(error: &StartError) -> Refusal {
    let advice = match error {
        StartError::Bind { .. } => "Is Showdesk open already? Close it, or the other program that uses this address.",
        StartError::Engine(EngineError::Folder(_)) => "Is this show open in another Showdesk? Close that one first.",
        _ => "Nothing was changed. Start Showdesk from a terminal to read more.",
    };
    Refusal { title: "Showdesk could not open the show", reason: sentence(&error.to_string()), advice }
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_clash_is_not_many() {
        assert_eq!(clashes(1).summary, "1 entry needs checking");
        assert_eq!(clashes(3).summary, "3 entries need checking");
    }

    #[test]
    fn a_folder_in_use_is_said_in_a_sentence_with_advice() {
        let refusal = refusal(&StartError::Engine(EngineError::Folder("it is open elsewhere".to_owned())));
        assert_eq!(refusal.reason, "The data folder cannot be used: it is open elsewhere.");
        assert!(refusal.advice.contains("another Showdesk"));
    }
}
