//! Ends the program as if its window had been closed, when the system or a terminal asks it to end.

use tauri::{AppHandle, async_runtime};

/// Listens for Ctrl-C and, where there is one, SIGTERM.
pub(crate) fn on_signals(app: &AppHandle) {
    let app = app.clone();
    async_runtime::spawn(async move {
        asked_to_end().await;
        app.exit(0);
    });
}

#[cfg(unix)]
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        tracing::error!("SIGTERM cannot be heard; only Ctrl-C ends the desk");
        return ctrl_c().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        () = ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn asked_to_end() {
    ctrl_c().await;
}

async fn ctrl_c() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::error!(%error, "Ctrl-C cannot be heard; close the window to end the desk");
        std::future::pending::<()>().await;
    }
}
