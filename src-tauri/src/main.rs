//! The desktop window of Showdesk.
//!
//! Starts the server in this process, shows its desk page in a window and tells the desktop when a clash arrives.
//! It holds no decisions: delete this folder and the desk still works in a browser.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod clashes;
mod desk;
mod options;
mod quit;
mod window;
mod words;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Parser;
use tauri::{App, Manager, RunEvent, async_runtime};

use desk::Desk;
use options::Options;

/// The running desk, if it could be started. Taken once, when the program ends.
type Slot = Arc<Mutex<Option<Desk>>>;

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(showdesk_server::config::log_filter())
        .init();
    let options = Options::parse();
    let slot = Slot::default();
    let started = Arc::clone(&slot);
    let app = tauri::Builder::default()
        .setup(move |app| open(app, &options, &started))
        .build(tauri::generate_context!("tauri.conf.json"));
    let app = match app {
        Ok(app) => app,
        Err(error) => {
            tracing::error!(%error, "the window could not be opened");
            return ExitCode::FAILURE;
        }
    };
    let refused = slot.lock().unwrap_or_else(PoisonError::into_inner).is_none();
    app.run(move |_, event| {
        if let RunEvent::Exit = event {
            close(&slot);
        }
    });
    if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Opens the desk and its window, or a window that says why there is no desk.
fn open(app: &mut App, options: &Options, slot: &Slot) -> Result<(), Box<dyn std::error::Error>> {
    let folder = match &options.data_dir {
        Some(folder) => folder.clone(),
        None => app.path().app_local_data_dir()?,
    };
    quit::on_signals(app.handle());
    match async_runtime::block_on(Desk::start(&folder, options)) {
        Ok(desk) => {
            println!("{}", words::where_phones_join(&desk.joining_addresses()));
            window::show_desk(app, &desk)?;
            async_runtime::spawn(clashes::announce(desk.wakes()));
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(desk);
        }
        Err(error) => {
            tracing::error!(%error, "the desk could not be started");
            window::show_refusal(app, &words::refusal(&error))?;
        }
    }
    Ok(())
}

/// Lets the desk finish what it has accepted. The window is gone by then.
fn close(slot: &Slot) {
    let desk = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(desk) = desk {
        async_runtime::block_on(desk.stop());
        tracing::info!("the desk has stopped");
    }
}
