//! Messages to whoever sits at the laptop: by the desktop's own service, and where none answers, in the window.

use notify_rust::Notification;
#[cfg(all(unix, not(target_os = "macos")))]
use notify_rust::{NotificationHandle, NotificationResponse, Urgency as Loudness};
use tauri::AppHandle;
use tokio::task::JoinSet;

use crate::window;
use crate::words::{self, Message};

/// Messages whose click is waited for. A desktop may keep a message for days; the oldest then leads nowhere.
const CLICKS_MAX: usize = 8;

/// How loud a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// It can be read later.
    Normal,
    /// It stays until somebody has seen it.
    Urgent,
}

/// The messages a person may still click on.
#[derive(Default)]
pub(crate) struct Messages {
    clicks: JoinSet<()>,
}

impl Messages {
    /// Shows a message; a click on it opens the desk page at `address`. Where no service of the desktop takes it, the
    /// page shows it.
    pub(crate) async fn show(&mut self, app: &AppHandle, message: Message, address: String) {
        let mut notification = Notification::new();
        notification.appname(words::TITLE).icon("showdesk").summary(&message.summary).body(&message.body);
        // The first is a click on the message itself, the second a button of its own.
        notification.action(CLICK, message.open).action("open", message.open);
        #[cfg(all(unix, not(target_os = "macos")))]
        notification.urgency(match message.urgency {
            Urgency::Normal => Loudness::Normal,
            Urgency::Urgent => Loudness::Critical,
        });
        let (opening, at) = (app.clone(), address.clone());
        if !self.send(notification, move || window::open_at(&opening, &at)).await {
            window::tell(app, &message, &address);
        }
    }

    /// Whether the desktop took it.
    #[cfg(all(unix, not(target_os = "macos")))]
    async fn send(&mut self, notification: Notification, open: impl FnOnce() + Send + 'static) -> bool {
        match notification.show_async().await {
            Ok(handle) => {
                while self.clicks.try_join_next().is_some() {}
                if self.clicks.len() >= CLICKS_MAX {
                    self.clicks.abort_all();
                }
                self.clicks.spawn(wait_for_click(handle, open));
                true
            }
            Err(error) => {
                tracing::warn!(%error, "the desktop took no notification; the window shows it");
                false
            }
        }
    }

    /// Whether the desktop took it. Here a message only tells.
    #[cfg(not(all(unix, not(target_os = "macos"))))]
    async fn send(&mut self, notification: Notification, _open: impl FnOnce() + Send + 'static) -> bool {
        match tokio::task::spawn_blocking(move || notification.show().map(drop)).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the desktop took no notification; the window shows it");
                false
            }
            Err(error) => {
                tracing::error!(%error, "the notification was not sent");
                false
            }
        }
    }
}

/// What the desktop calls a click on the message itself.
const CLICK: &str = "default";

#[cfg(all(unix, not(target_os = "macos")))]
async fn wait_for_click(handle: NotificationHandle, open: impl FnOnce()) {
    let clicked = |response: &NotificationResponse| match response {
        NotificationResponse::Default | NotificationResponse::Action(_) => open(),
        _ => {}
    };
    handle.wait_for_action_async(clicked).await;
}
