//! The one window: the desk page, or the reason why there is none.
//!
//! The page gets the token from a script before its own run, never from the URL, and the window never leaves the
//! page's origin. The shell leads the page only as a person could: by its address. The one thing it tells the page is a
//! message that no service of the desktop took.

use serde::Serialize;
use serde_json::json;
use tauri::plugin::TauriPlugin;
use tauri::webview::{DownloadEvent, NewWindowResponse};
use tauri::{App, AppHandle, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent, Wry};
use tauri_plugin_window_state::StateFlags;

use crate::closing;
use crate::desk::Desk;
use crate::message::Urgency;
use crate::words::{self, Message, Refusal};

/// The window with the desk page.
pub(crate) const LABEL: &str = "desk";
/// The page's address that shows how a phone joins.
pub(crate) const CONNECT: &str = "#/overview?connect=1";
/// The page's address that lists what needs checking; a clash's id may follow.
pub(crate) const CHECKS: &str = "#/needs-checking";

/// The event by which the page hears of a message that the desktop did not take.
const TOLD: &str = "showdesk:message";

/// Remembers where the desk's window was, and how large.
pub(crate) fn remembered() -> TauriPlugin<Wry> {
    // Not whether it was shown: a window that was hidden in the tray comes back at the next start.
    let what = StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED | StateFlags::FULLSCREEN;
    tauri_plugin_window_state::Builder::new().with_state_flags(what).with_filter(|label| label == LABEL).build()
}

/// Shows the desk page.
pub(crate) fn show_desk(app: &App, desk: &Desk) -> tauri::Result<()> {
    let page = desk.page();
    let (home, source) = (page.clone(), page.clone());
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::External(page))
        .title(words::TITLE)
        .inner_size(1280.0, 800.0)
        .min_inner_size(960.0, 600.0)
        .initialization_script(hand_over(&desk.page(), desk.token()))
        .on_navigation(move |target| stays_home(&home, target))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(move |_, event| may_keep(&source, &event))
        // Entries files are dropped on the page itself.
        .disable_drag_drop_handler()
        // Shown when it has the size and place it had last.
        .visible(false)
        .build()?;
    let asking = app.handle().clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            api.prevent_close();
            closing::wish(&asking);
        }
    });
    window.show()
}

/// Says why there is no desk.
pub(crate) fn show_refusal(app: &App, refusal: &Refusal) -> tauri::Result<()> {
    let window = WebviewWindowBuilder::new(app, "refusal", WebviewUrl::App("refusal.html".into()))
        .title(words::TITLE)
        .inner_size(560.0, 300.0)
        .resizable(false)
        .initialization_script(words_for_page(refusal))
        .build()?;
    let refused = app.handle().clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { .. } = event {
            refused.exit(1);
        }
    });
    window.set_focus()
}

/// The script that gives one of the shell's own pages its words.
pub(crate) fn words_for_page(words: &impl Serialize) -> String {
    format!("window.__WORDS__ = {};", json!(words))
}

/// Shows the desk page at this address of its own, and the window before all others.
pub(crate) fn open_at(app: &AppHandle, hash: &str) {
    if let Some(window) = app.get_webview_window(LABEL)
        && let Err(error) = window.eval(format!("location.hash = {};", json!(hash)))
    {
        tracing::error!(%error, "the desk page could not be led to {hash}");
    }
    bring_desk_to_front(app, None);
}

/// Has the desk page show a message that the desktop did not take: an event of its window, with what a click opens.
pub(crate) fn tell(app: &AppHandle, message: &Message, address: &str) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    let detail = json!({
        "title": message.summary,
        "text": message.body,
        "open": message.open,
        "address": address,
        "urgent": message.urgency == Urgency::Urgent,
    });
    if let Err(error) = window.eval(format!("dispatchEvent(new CustomEvent('{TOLD}', {{ detail: {detail} }}));")) {
        tracing::error!(%error, "a message could be shown neither by the desktop nor in the window");
    }
}

/// Shows the desk's window before all others. `activation` is what the desktop gave a second start for that.
pub(crate) fn bring_desk_to_front(app: &AppHandle, activation: Option<String>) {
    if let Some(window) = app.get_webview_window(LABEL) {
        bring_to_front(&window, activation);
    }
}

/// Shows a window before all others, also if it was hidden or made small.
#[cfg(target_os = "linux")]
pub(crate) fn bring_to_front(window: &WebviewWindow, activation: Option<String>) {
    use gtk::prelude::GtkWindowExt;

    let fronted = window.clone();
    let asked = window.run_on_main_thread(move || match fronted.gtk_window() {
        Ok(native) => {
            if let Some(activation) = activation {
                native.set_startup_id(&activation);
            }
            native.present();
        }
        Err(error) => tracing::warn!(%error, "the window could not come to the front"),
    });
    if let Err(error) = asked {
        tracing::warn!(%error, "the window could not come to the front");
    }
}

/// Shows a window before all others, also if it was hidden or made small.
#[cfg(not(target_os = "linux"))]
pub(crate) fn bring_to_front(window: &WebviewWindow, _activation: Option<String>) {
    let fronted = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    if let Err(error) = fronted {
        tracing::warn!(%error, "the window could not come to the front");
    }
}

/// The script that gives the page the token of this launch, if it is the page we mean.
fn hand_over(page: &Url, token: &str) -> String {
    let origin = json!(page.origin().ascii_serialization());
    let token = json!(token);
    format!("if (location.origin === {origin}) window.__SHOWDESK__ = Object.freeze({{ token: {token} }});")
}

fn stays_home(home: &Url, target: &Url) -> bool {
    target.origin() == home.origin()
}

/// Whether a file may go into the person's folder of downloads: only what the page itself has made, such as the audit
/// as a table. Where exactly it goes the system says.
fn may_keep(home: &Url, event: &DownloadEvent<'_>) -> bool {
    match event {
        DownloadEvent::Requested { url, .. } => is_made_by_page(home, url),
        DownloadEvent::Finished { success, .. } => {
            if !success {
                tracing::warn!("a file that the page made could not be kept");
            }
            true
        }
        _ => false,
    }
}

fn is_made_by_page(home: &Url, file: &Url) -> bool {
    file.scheme() == "blob" && file.origin() == home.origin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn the_window_stays_on_the_desk_page() {
        let home = url("http://127.0.0.1:4100/");
        assert!(stays_home(&home, &url("http://127.0.0.1:4100/#/needs-checking")));
        for elsewhere in ["http://127.0.0.1:4101/", "https://127.0.0.1:4100/", "http://localhost:4100/", "about:blank"]
        {
            assert!(!stays_home(&home, &url(elsewhere)), "{elsewhere}");
        }
    }

    #[test]
    fn the_token_cannot_end_the_script() {
        let script = hand_over(&url("http://127.0.0.1:4100/"), "a\"; alert(1); \"");
        assert!(script.starts_with("if (location.origin === \"http://127.0.0.1:4100\")"), "{script}");
        assert!(script.contains(r#"token: "a\"; alert(1); \"""#), "{script}");
    }

    #[test]
    fn only_files_that_the_page_has_made_are_kept() {
        let home = url("http://127.0.0.1:4100/");
        assert!(is_made_by_page(&home, &url("blob:http://127.0.0.1:4100/0b5c7c0e-6d0c-4a43-9a5f-1f1b6f9f9a11")));
        for elsewhere in [
            "blob:http://127.0.0.1:4101/0b5c7c0e-6d0c-4a43-9a5f-1f1b6f9f9a11",
            "blob:null/0b5c7c0e-6d0c-4a43-9a5f-1f1b6f9f9a11",
            "http://127.0.0.1:4100/api/v1/admin/audit.csv",
            "data:text/csv,a",
            "https://bank.example/a.csv",
            "file:///etc/passwd",
        ] {
            assert!(!is_made_by_page(&home, &url(elsewhere)), "{elsewhere}");
        }
    }
}
