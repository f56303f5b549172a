//! The icon in the desktop's tray: the way back to a hidden window, and to the end of the program.
//!
//! Many desktops have no tray. The program then runs as well; only the words of the closing question differ.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager, Wry, async_runtime};
use tokio::time::{MissedTickBehavior, interval};

use crate::phones::{Phones, PhonesNow};
use crate::{closing, window, words};

const ID: &str = "desk";
const OPEN: &str = "open";
const CONNECT: &str = "connect";
const QUIT: &str = "quit";

/// How old the counts in the menu may be.
const COUNT_EVERY: Duration = Duration::from_secs(5);

/// The two lines of the menu that only tell.
struct Counts {
    phones: MenuItem<Wry>,
    waiting: MenuItem<Wry>,
}

/// Puts the icon into the tray, if the desktop has what that takes.
pub(crate) fn show(app: &AppHandle) {
    // Where the system's library for trays is missing, asking for it panics; nothing of ours is half done then.
    match catch_unwind(AssertUnwindSafe(|| build(app))) {
        Ok(Ok(counts)) => {
            async_runtime::spawn(follow(app.clone(), counts));
        }
        Ok(Err(error)) => tracing::warn!(%error, "there is no icon in the tray"),
        Err(_) => tracing::warn!("there is no icon in the tray: the library libayatana-appindicator3 is missing"),
    }
}

/// Whether a person can see the icon now.
pub(crate) async fn is_shown(app: &AppHandle) -> bool {
    app.tray_by_id(ID).is_some() && desktop_has_tray().await
}

fn build(app: &AppHandle) -> tauri::Result<Counts> {
    let item = |id: &str, text: &str, enabled: bool| MenuItem::with_id(app, id, text, enabled, None::<&str>);
    let none = PhonesNow::default();
    let counts = Counts {
        phones: item("phones", &words::phones_connected(&none), false)?,
        waiting: item("waiting", &words::entries_waiting(&none), false)?,
    };
    let menu = Menu::with_items(
        app,
        &[
            &item(OPEN, words::OPEN, true)?,
            &item(CONNECT, words::CONNECT, true)?,
            &PredefinedMenuItem::separator(app)?,
            &counts.phones,
            &counts.waiting,
            &PredefinedMenuItem::separator(app)?,
            &item(QUIT, words::QUIT, true)?,
        ],
    )?;
    let icon = app.default_window_icon().expect("tauri.conf.json names icons").clone();
    TrayIconBuilder::with_id(ID)
        .icon(icon)
        .temp_dir_path(picture_folder(app)?)
        .tooltip(words::TITLE)
        .menu(&menu)
        .on_menu_event(|app, event| chosen(app, event.id().as_ref()))
        .build(app)?;
    Ok(counts)
}

/// Removes the picture of the icon, which the tray has read from a file.
pub(crate) fn clear(app: &AppHandle) {
    if let Ok(folder) = picture_folder(app) {
        // It was never made where there is no tray.
        let _ = std::fs::remove_dir_all(folder);
    }
}

/// Trays on Linux read the picture from a file. Two shows have one each, since the first that ends removes its own.
fn picture_folder(app: &AppHandle) -> tauri::Result<PathBuf> {
    Ok(app.path().app_cache_dir()?.join(format!("tray-{}", std::process::id())))
}

fn chosen(app: &AppHandle, item: &str) {
    match item {
        OPEN => window::bring_desk_to_front(app, None),
        CONNECT => window::open_at(app, window::CONNECT),
        QUIT => closing::wish(app),
        _ => {}
    }
}

/// Keeps the counts in the menu true.
async fn follow(app: AppHandle, counts: Counts) {
    let mut shown = PhonesNow::default();
    let mut ticks = interval(COUNT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match app.state::<Phones>().now().await {
            Ok(now) if now != shown => {
                let told = counts
                    .phones
                    .set_text(words::phones_connected(&now))
                    .and_then(|()| counts.waiting.set_text(words::entries_waiting(&now)));
                if let Err(error) = told {
                    tracing::warn!(%error, "the tray's menu could not be changed");
                }
                shown = now;
            }
            Ok(_) => {}
            // The page says what is wrong with the show; the tray keeps what it knew.
            Err(error) => tracing::debug!(%error, "the tray's counts could not be read"),
        }
    }
}

/// On Linux an icon is seen only where a panel has taken up the service that shows it.
#[cfg(target_os = "linux")]
async fn desktop_has_tray() -> bool {
    const WATCHER: &str = "org.kde.StatusNotifierWatcher";
    let asked = async {
        let bus = zbus::Connection::session().await?;
        let watcher = zbus::Proxy::new(&bus, WATCHER, "/StatusNotifierWatcher", WATCHER).await?;
        watcher.get_property::<bool>("IsStatusNotifierHostRegistered").await
    };
    tokio::time::timeout(Duration::from_secs(1), asked).await.is_ok_and(|answer| answer.unwrap_or(false))
}

#[cfg(not(target_os = "linux"))]
async fn desktop_has_tray() -> bool {
    true
}
