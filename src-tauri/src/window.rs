//! The one window: the desk page, or the reason why there is none.
//!
//! The page gets the token from a script before its own run, never from the URL, and the window never leaves the
//! page's origin.

use serde_json::json;
use tauri::webview::NewWindowResponse;
use tauri::{App, Manager, Url, WebviewUrl, WebviewWindowBuilder};

use crate::desk::Desk;
use crate::words::{self, Refusal};

const LABEL: &str = "desk";

/// Shows the desk page.
pub(crate) fn show_desk(app: &App, desk: &Desk) -> tauri::Result<()> {
    let page = desk.page();
    let home = page.clone();
    WebviewWindowBuilder::new(app, LABEL, WebviewUrl::External(page))
        .title(words::TITLE)
        .inner_size(1280.0, 800.0)
        .min_inner_size(960.0, 600.0)
        .initialization_script(hand_over(&desk.page(), desk.token()))
        .on_navigation(move |target| stays_home(&home, target))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        // Entries files are dropped on the page itself.
        .disable_drag_drop_handler()
        .build()?;
    Ok(())
}

/// Says why there is no desk.
pub(crate) fn show_refusal(app: &App, refusal: &Refusal) -> tauri::Result<()> {
    let text = json!({ "title": refusal.title, "reason": refusal.reason, "advice": refusal.advice });
    WebviewWindowBuilder::new(app, "refusal", WebviewUrl::App("index.html".into()))
        .title(words::TITLE)
        .inner_size(560.0, 300.0)
        .resizable(false)
        .initialization_script(format!("window.__REFUSAL__ = {text};"))
        .build()?;
    if let Some(window) = app.get_webview_window("refusal") {
        window.set_focus()?;
    }
    Ok(())
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
}
