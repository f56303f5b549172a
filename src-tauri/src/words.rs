//! All words that the shell itself shows. The desk page has its own.

use serde::Serialize;
use showdesk_server::StartError;
use showdesk_server::engine::EngineError;
use showdesk_server::engine::api::alerts::DesktopAlert;
use showdesk_server::engine::api::notifications::Notice;

use crate::message::Urgency;
use crate::phones::PhonesNow;

/// The program's name, on windows and messages.
pub(crate) const TITLE: &str = "Showdesk";

/// Lines of the tray's menu.
pub(crate) const OPEN: &str = "Open Showdesk";
pub(crate) const CONNECT: &str = "Connect a phone";
pub(crate) const QUIT: &str = "Quit";

/// A line of the tray's menu: who is here.
pub(crate) fn phones_connected(now: &PhonesNow) -> String {
    match now.connected {
        0 => "No phone connected".to_owned(),
        connected => format!("{} connected", phones(connected)),
    }
}

/// A line of the tray's menu: what phones still hold.
pub(crate) fn entries_waiting(now: &PhonesNow) -> String {
    match now.unsent {
        0 => "Nothing waiting on phones".to_owned(),
        unsent => format!("{} waiting on {}", entries(unsent), phones(now.holding)),
    }
}

fn phones(count: i64) -> String {
    if count == 1 { "1 phone".to_owned() } else { format!("{count} phones") }
}

fn entries(count: i64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

/// What a person is asked before the desk closes.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Question {
    pub(crate) title: &'static str,
    pub(crate) text: String,
    pub(crate) keep_running: &'static str,
    pub(crate) close: &'static str,
    pub(crate) cancel: &'static str,
}

/// Phones still hold entries; `tray` says whether the icon can be seen.
pub(crate) fn closing(now: &PhonesNow, tray: bool) -> Question {
    let hold = if now.holding == 1 { "holds" } else { "hold" };
    let (they, are) = if now.unsent == 1 { ("It stays", "is") } else { ("They stay", "are") };
    let there = if now.holding == 1 { "phone" } else { "phones" };
    let mut text = format!(
        "{} still {hold} {}. {they} safe on the {there} and {are} sent when Showdesk runs again.",
        phones(now.holding),
        entries(now.unsent)
    );
    if !tray {
        text.push_str(" If it keeps running, start Showdesk again to see its window.");
    }
    Question {
        title: "Close Showdesk?",
        text,
        keep_running: if tray { "Keep running in the tray" } else { "Keep running" },
        close: "Close anyway",
        cancel: "Cancel",
    }
}

/// A desktop message.
pub(crate) struct Message {
    pub(crate) summary: String,
    pub(crate) body: String,
    /// The button that leads there.
    pub(crate) open: &'static str,
    /// How loud it is.
    pub(crate) urgency: Urgency,
}

/// New clashes have arrived.
pub(crate) fn clashes(count: usize) -> Message {
    let summary =
        if count == 1 { "1 entry needs checking".to_owned() } else { format!("{count} entries need checking") };
    let body = "Two people wrote different things. Choose in Needs checking.".to_owned();
    let open = if count == 1 { "Look at it" } else { "Look at them" };
    Message { summary, body, open, urgency: Urgency::Normal }
}

/// Something that those who run the show must hear at once.
pub(crate) fn notice(notice: &Notice, urgency: Urgency) -> Message {
    let from = notice.from.as_ref().map(|from| format!("From {from}."));
    let body = [notice.body.clone(), from].into_iter().flatten().collect::<Vec<_>>().join(" ");
    Message { summary: notice.title.clone(), body, open: "Look at it", urgency }
}

/// What an alert says.
pub(crate) fn alert(alert: &DesktopAlert, urgency: Urgency) -> Message {
    let body = alert.detail.clone().unwrap_or_default();
    Message { summary: alert.headline.clone(), body, open: "Look at it", urgency }
}

/// Where phones join, for the terminal.
pub(crate) fn where_phones_join(addresses: &[String]) -> String {
    format!("Phones join at {}", addresses.join(" or "))
}

/// Why there is no desk.
#[derive(Debug, Serialize)]
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
    fn the_tray_tells_how_many_and_of_what() {
        let none = PhonesNow::default();
        assert_eq!((phones_connected(&none), entries_waiting(&none)).0, "No phone connected");
        assert_eq!(entries_waiting(&none), "Nothing waiting on phones");
        let some = PhonesNow { connected: 14, holding: 2, unsent: 11 };
        assert_eq!(phones_connected(&some), "14 phones connected");
        assert_eq!(entries_waiting(&some), "11 entries waiting on 2 phones");
    }

    #[test]
    fn before_closing_a_person_reads_what_becomes_of_the_entries() {
        let some = closing(&PhonesNow { connected: 2, holding: 2, unsent: 11 }, true);
        assert_eq!(
            some.text,
            "2 phones still hold 11 entries. They stay safe on the phones and are sent when Showdesk runs again."
        );
        assert_eq!(some.keep_running, "Keep running in the tray");
        let one = closing(&PhonesNow { connected: 0, holding: 1, unsent: 1 }, false);
        assert_eq!(
            one.text,
            "1 phone still holds 1 entry. It stays safe on the phone and is sent when Showdesk runs again. \
             If it keeps running, start Showdesk again to see its window."
        );
        assert_eq!(one.keep_running, "Keep running");
    }

    #[test]
    fn a_folder_in_use_is_said_in_a_sentence_with_advice() {
        let refusal = refusal(&StartError::Engine(EngineError::Folder("it is open elsewhere".to_owned())));
        assert_eq!(refusal.reason, "The data folder cannot be used: it is open elsewhere.");
        assert!(refusal.advice.contains("another Showdesk"));
    }
}
