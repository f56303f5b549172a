//! Messages on the desktop, and what a click on one does.

use notify_rust::Notification;
#[cfg(all(unix, not(target_os = "macos")))]
use notify_rust::{NotificationHandle, NotificationResponse};
use tokio::task::JoinSet;

use crate::words::{self, Message};

/// Messages whose click is waited for. A desktop may keep a message for days; the oldest then leads nowhere.
const CLICKS_MAX: usize = 8;

/// The messages a person may still click on.
#[derive(Default)]
pub(crate) struct Messages {
    clicks: JoinSet<()>,
}

impl Messages {
    /// Shows a message; `open` is called once if it is clicked. A desktop without a notification service is only
    /// logged: the page shows the same.
    pub(crate) async fn show(&mut self, message: Message, open: impl FnOnce() + Send + 'static) {
        let mut notification = Notification::new();
        notification.appname(words::TITLE).icon("showdesk").summary(&message.summary).body(&message.body);
        // The first is a click on the message itself, the second a button of its own.
        notification.action(CLICK, message.open).action("open", message.open);
        self.send(notification, open).await;
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    async fn send(&mut self, notification: Notification, open: impl FnOnce() + Send + 'static) {
        match notification.show_async().await {
            Ok(handle) => {
                while self.clicks.try_join_next().is_some() {}
                if self.clicks.len() >= CLICKS_MAX {
                    self.clicks.abort_all();
                }
                self.clicks.spawn(wait_for_click(handle, open));
            }
            Err(error) => tracing::warn!(%error, "the desktop took no notification"),
        }
    }

    /// Here a message only tells.
    #[cfg(not(all(unix, not(target_os = "macos"))))]
    async fn send(&mut self, notification: Notification, _open: impl FnOnce() + Send + 'static) {
        match tokio::task::spawn_blocking(move || notification.show().map(drop)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the desktop took no notification"),
            Err(error) => tracing::error!(%error, "the notification was not sent"),
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
