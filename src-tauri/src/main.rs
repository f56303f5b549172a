//! The desktop window of Showdesk.
//!
//! Starts the server in this process, shows its desk page in a window, puts an icon into the tray and tells the desktop
//! when a clash arrives, in an emergency, when messages do not go out, and what alerts say.
//! It holds no decisions: delete this folder and the desk still works in a browser.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod alerts;
mod clashes;
mod closing;
mod desk;
mod front_door;
mod message;
mod options;
mod phones;
mod quit;
mod staff;
mod tray;
mod window;
mod words;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Parser;
use showdesk_server::StartError;
use showdesk_server::engine::{EngineError, Faults};
use tauri::{App, AppHandle, Manager, RunEvent, async_runtime};

use desk::Desk;
use front_door::FrontDoor;
use options::Options;
use phones::Phones;

/// The running desk, if it could be started. Taken once, when the program ends.
type Slot = Arc<Mutex<Option<Desk>>>;

fn main() -> ExitCode {
    let faults = showdesk_server::witness::begin(std::io::stderr().is_terminal());
    let options = Options::parse();
    let context = tauri::generate_context!("tauri.conf.json");
    let Some(folder) = options.folder(&context.config().identifier) else {
        tracing::error!("the system names no folder for the data of applications; name one by --data-dir");
        return ExitCode::FAILURE;
    };
    // Before anything of a window is begun: a second start is only a knock on the first one's door.
    let Some(started) = start(&folder, &options, &faults) else { return ExitCode::SUCCESS };
    let slot = Slot::default();
    let opened = Arc::clone(&slot);
    let app = tauri::Builder::default()
        .plugin(window::remembered())
        .setup(move |app| open(app, folder, started, &opened))
        .build(context);
    let app = match app {
        Ok(app) => app,
        Err(error) => {
            tracing::error!(%error, "the window could not be opened");
            return ExitCode::FAILURE;
        }
    };
    // Ends the process, with the code that `exit` was given.
    app.run(move |app, event| {
        if let RunEvent::Exit = event {
            tray::clear(app);
            close(&slot);
        }
    });
    ExitCode::SUCCESS
}

/// Starts the desk. None if another window has the show open: that one has come to the front.
fn start(folder: &Path, options: &Options, faults: &Faults) -> Option<Result<Desk, StartError>> {
    let activation = options.activation.as_deref();
    if front_door::knock(folder, activation) {
        return None;
    }
    let started = async_runtime::block_on(Desk::start(folder, options, faults));
    let in_use = started.as_ref().is_err_and(is_in_use);
    if in_use && front_door::knock_patiently(folder, activation) { None } else { Some(started) }
}

/// Opens the desk's window, or a window that says why there is no desk.
fn open(
    app: &mut App,
    folder: PathBuf,
    started: Result<Desk, StartError>,
    slot: &Slot,
) -> Result<(), Box<dyn std::error::Error>> {
    quit::on_signals(app.handle());
    match started {
        Ok(desk) => {
            println!("{}", words::where_phones_join(&desk.joining_addresses()));
            app.manage(Phones::new(desk.engine()));
            async_runtime::spawn(let_in(app.handle().clone(), folder));
            window::show_desk(app, &desk)?;
            tray::show(app.handle());
            async_runtime::spawn(clashes::announce(app.handle().clone(), desk.wakes()));
            async_runtime::spawn(staff::announce(app.handle().clone(), desk.engine(), desk.wakes()));
            async_runtime::spawn(alerts::announce(app.handle().clone(), desk.engine(), desk.wakes()));
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(desk);
        }
        Err(error) => {
            tracing::error!(%error, "the desk could not be started");
            window::show_refusal(app, &words::refusal(&error))?;
        }
    }
    Ok(())
}

/// Whether the show or its address is in use, perhaps by a window that was started a moment ago.
fn is_in_use(error: &StartError) -> bool {
    matches!(error, StartError::Bind { .. } | StartError::Engine(EngineError::Folder(_)))
}

/// Brings the window to the front whenever the program is started again on this folder.
async fn let_in(app: AppHandle, folder: PathBuf) {
    match FrontDoor::open(&folder).await {
        Ok(door) => door.answer(|activation| window::bring_desk_to_front(&app, activation)).await,
        Err(error) => tracing::error!(%error, "a second start will not find this window"),
    }
}

/// Lets the desk finish what it has accepted. The window is gone by then.
fn close(slot: &Slot) {
    let desk = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(desk) = desk {
        async_runtime::block_on(desk.stop());
        tracing::info!("the desk has stopped");
    }
}
