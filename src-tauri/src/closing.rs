//! Closing the window or choosing Quit: asks first while phones still hold entries.
//!
//! The question is a small window of its own, with words that stand in this program, so that it also comes when the
//! desk page does not answer. Its buttons lead to addresses that no window opens and that are read here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tauri::{AppHandle, Manager, Url, WebviewUrl, WebviewWindowBuilder, async_runtime};
use tokio::time::timeout;

use crate::phones::Phones;
use crate::words::{self, Question};
use crate::{tray, window};

const LABEL: &str = "closing";
/// Where the buttons of the question lead.
const ANSWERS: &str = "showdesk";
/// A desk that cannot count within this time is not kept from closing.
const COUNT_TIME: Duration = Duration::from_secs(2);

/// Held while a wish to close is looked at, so that two clicks are one question.
static LOOKING: AtomicBool = AtomicBool::new(false);

/// What a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    KeepRunning,
    Close,
    Cancel,
}

/// Somebody wants the desk to end: it ends, or asks.
pub(crate) fn wish(app: &AppHandle) {
    if LOOKING.swap(true, Ordering::AcqRel) {
        return;
    }
    let app = app.clone();
    async_runtime::spawn(async move {
        look(&app).await;
        LOOKING.store(false, Ordering::Release);
    });
}

async fn look(app: &AppHandle) {
    if let Some(asked) = app.get_webview_window(LABEL) {
        window::bring_to_front(&asked, None);
        return;
    }
    let Some(question) = question(app).await else {
        app.exit(0);
        return;
    };
    if let Err(error) = ask(app, &question) {
        // A person who cannot be asked has still said that the desk shall close; the entries are safe on the phones.
        tracing::error!(%error, "the question before closing could not be shown");
        app.exit(0);
    }
}

/// The question, if there is a reason to ask.
async fn question(app: &AppHandle) -> Option<Question> {
    let phones = app.state::<Phones>();
    match timeout(COUNT_TIME, phones.now()).await {
        Ok(Ok(now)) if now.unsent > 0 => Some(words::closing(&now, tray::is_shown(app).await)),
        Ok(Ok(_)) => None,
        Ok(Err(error)) => {
            tracing::error!(%error, "it is not known what phones still hold");
            None
        }
        Err(_) => {
            tracing::error!("what phones still hold could not be counted in time");
            None
        }
    }
}

fn ask(app: &AppHandle, question: &Question) -> tauri::Result<()> {
    let answering = app.clone();
    let mut builder = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("closing.html".into()))
        .title(question.title)
        .inner_size(520.0, 208.0)
        .resizable(false)
        .minimizable(false)
        .maximizable(false)
        .center()
        .initialization_script(window::words_for_page(question))
        .on_navigation(move |target| {
            let answer = read_answer(target);
            if let Some(answer) = answer {
                act(&answering, answer);
            }
            answer.is_none()
        });
    let desk = app.get_webview_window(window::LABEL);
    // A window that is not shown cannot carry another.
    if let Some(desk) = desk.filter(|desk| desk.is_visible().unwrap_or(false)) {
        builder = builder.parent(&desk)?;
    }
    window::bring_to_front(&builder.build()?, None);
    Ok(())
}

fn read_answer(target: &Url) -> Option<Answer> {
    if target.scheme() != ANSWERS {
        return None;
    }
    Some(match target.path() {
        "keep-running" => Answer::KeepRunning,
        "close" => Answer::Close,
        _ => Answer::Cancel,
    })
}

fn act(app: &AppHandle, answer: Answer) {
    if answer == Answer::Close {
        app.exit(0);
        return;
    }
    if answer == Answer::KeepRunning
        && let Some(desk) = app.get_webview_window(window::LABEL)
        && let Err(error) = desk.hide()
    {
        tracing::error!(%error, "the window could not be hidden");
    }
    if let Some(asked) = app.get_webview_window(LABEL)
        && let Err(error) = asked.destroy()
    {
        tracing::error!(%error, "the question before closing stays open");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_buttons_answer() {
        let answer = |text: &str| read_answer(&Url::parse(text).unwrap());
        assert_eq!(answer("tauri://localhost/closing.html"), None);
        assert_eq!(answer("http://127.0.0.1:4100/"), None);
        assert_eq!(answer("showdesk:keep-running"), Some(Answer::KeepRunning));
        assert_eq!(answer("showdesk:close"), Some(Answer::Close));
        assert_eq!(answer("showdesk:cancel"), Some(Answer::Cancel));
        assert_eq!(answer("showdesk:anything"), Some(Answer::Cancel));
    }
}
