//! The desk without a window: `serve`, `demo`, `import`, `rehearse`, `openapi`.
//!
//! Standard output is for programs: one line of JSON when the desk is ready, or a result. Everything
//! for people goes to standard error.

use std::io::Write;

use anyhow::Context;
use clap::Parser;
use serde::Serialize;
use showdesk_engine::api::import::ImportWish;
use showdesk_engine::{DemoSize, Engine, Faults};
use showdesk_server::config::{self, Command, CommandLine, Demo, Import, Rehearse, Serve};
use showdesk_server::{RunningServer, Server, openapi_document, witness};

/// A push is thousands of small pieces, made on one thread and freed on another. With the system's allocator that was a
/// quarter of the time, and memory that was not given back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let command_line = CommandLine::parse();
    let faults = witness::begin(config::wants_colours());
    match command_line.command {
        Command::Serve(arguments) => serve(arguments, faults).await,
        Command::Demo(arguments) => demo(arguments).await,
        Command::Import(arguments) => import(arguments).await,
        Command::Rehearse(arguments) => rehearse(&arguments).await,
        Command::Openapi => print(&serde_json::to_string_pretty(&openapi_document())?),
    }
}

async fn serve(arguments: Serve, faults: Faults) -> anyhow::Result<()> {
    let stop = stop_signal()?;
    let mut options = arguments.server_options();
    options.engine.faults = faults;
    let server = Server::start(options).await?;
    print(&serde_json::to_string(&ReadyLine::of(&server))?)?;
    tell(&format!("Open the desk (once, within ten minutes): {}", server.desk_link()));
    tell(&format!("Phones reach it at: {}", server.joining_addresses().join(" ")));
    stop.await;
    tracing::info!("stopping");
    server.stop().await;
    Ok(())
}

/// What other programs wait for, in one line.
#[derive(Serialize)]
struct ReadyLine {
    ready: bool,
    http: String,
    https: Option<String>,
    admin: String,
}

impl ReadyLine {
    fn of(server: &RunningServer) -> Self {
        Self {
            ready: true,
            http: server.http_url(),
            https: server.https_url(),
            admin: format!("http://{}", server.admin),
        }
    }
}

async fn demo(arguments: Demo) -> anyhow::Result<()> {
    let engine = Engine::open(arguments.show.engine_options()).await?;
    let size = DemoSize::from(arguments.size);
    let filled = async { engine.fill_demo(&engine.desk_actor().await?, size, &arguments.stage).await };
    let filled = filled.await;
    engine.close().await;
    filled.context("the demo show could not be written")?;
    tracing::info!(folder = %arguments.show.data_dir.display(), "the demo show is there");
    Ok(())
}

async fn import(arguments: Import) -> anyhow::Result<()> {
    let file = &arguments.file;
    let bytes = tokio::fs::read(file).await.with_context(|| format!("{} could not be read", file.display()))?;
    let engine = Engine::open(arguments.show.engine_options()).await?;
    let printed = import_into(&engine, bytes, arguments.confirm).await;
    engine.close().await;
    print(&printed.context("the file could not be imported")?)
}

async fn import_into(engine: &Engine, file: Vec<u8>, confirm: bool) -> anyhow::Result<String> {
    let actor = engine.desk_actor().await?;
    let preview = engine.preview_import(&actor, file, ImportWish::default()).await?;
    if !confirm {
        return Ok(serde_json::to_string_pretty(&preview)?);
    }
    let result = engine.confirm_import(&actor, preview.import_id).await?;
    Ok(serde_json::to_string_pretty(&result)?)
}

async fn rehearse(arguments: &Rehearse) -> anyhow::Result<()> {
    let report = showdesk_server::rehearse::rehearse(&arguments.plan()).await.context("the rehearsal broke off")?;
    tell(&report.to_string());
    print(&serde_json::to_string_pretty(&report)?)?;
    anyhow::ensure!(report.is_good(), "not every entry is on the desk exactly once");
    Ok(())
}

/// Ends when the program is asked to stop. Listening begins at once, so that no signal is lost.
#[cfg(unix)]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ends when the program is asked to stop.
#[cfg(not(unix))]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "Ctrl-C is not heard");
        }
    })
}

/// Says something to the person at the terminal. It is no log: the desk's link must reach no log.
fn tell(text: &str) {
    // Nobody may be reading; the desk serves all the same.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}
