//! Rehearses a show: phones that join, enter, lose answers and pull over real HTTP, against a desk of their own.
//!
//! The desk runs on loopback on an invented county show in a folder that is thrown away: a real show is never written
//! to. What the report says is asked of the desk over the same HTTP, so it trusts nothing that the desk keeps in memory.

mod connection;
mod figures;
mod joining;
mod phone;
mod proof;
mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use showdesk_engine::{DemoSize, EngineError};
use tokio::task::JoinSet;

use crate::config::ServerOptions;
use crate::server::{RunningServer, Server, StartError};

pub use connection::{Connection, Listening};
pub use figures::{Figures, percentile_ms};
pub use joining::{Desk, join};
pub use phone::{Change, OpResult, Phone, SentOp};
pub use proof::Proof;

/// What is rehearsed.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many phones.
    pub phones: usize,
    /// How many entries each phone makes.
    pub ops: usize,
    /// How many entries a phone sends at once.
    pub batch_ops: usize,
    /// How many answers in a hundred are lost on their way; the phone sends again.
    pub lost_percent: u8,
    /// The same seed makes the same entries.
    pub seed: u64,
}

/// How it went.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Phones that took part.
    pub phones: usize,
    /// Entries made, each counted once.
    pub ops: usize,
    /// From the first push to the last verdict.
    pub elapsed_ms: f64,
    /// Entries a second over that time.
    pub ops_per_s: f64,
    /// Answers that were lost on purpose.
    pub answers_lost: usize,
    /// Every push, from sending to its answer; lost ones are left out.
    pub push_ms: Figures,
    /// Every page that was pulled.
    pub pull_ms: Figures,
    /// What the desk kept of it all.
    pub proof: Proof,
}

impl Report {
    /// Whether every entry is on the desk exactly once.
    pub fn is_good(&self) -> bool {
        self.proof.faults.is_empty() && self.proof.ops == self.ops
    }
}

/// Why a rehearsal could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    /// No folder for the desk.
    #[error("no temporary folder: {0}")]
    Folder(#[source] std::io::Error),
    /// The desk could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The invented show could not be written.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// No connection to the desk.
    #[error("the desk cannot be reached: {0}")]
    Connect(#[from] std::io::Error),
    /// A connection broke.
    #[error("a connection broke: {0}")]
    Line(#[from] hyper::Error),
    /// The desk hung up.
    #[error("the desk hung up")]
    HungUp,
    /// An answer did not come.
    #[error("{0} was not answered in time")]
    Silent(String),
    /// The desk said no.
    #[error("{path} was answered {status}: {body}")]
    Refused {
        /// What was asked.
        path: String,
        /// HTTP status.
        status: u16,
        /// What the desk said.
        body: String,
    },
    /// An answer that the protocol does not know.
    #[error("{0}")]
    Strange(String),
    /// A phone gave up in a way that nobody foresaw.
    #[error("a phone stopped: {0}")]
    Stopped(#[from] tokio::task::JoinError),
}

/// Plays a show and looks at what is left of it.
pub async fn rehearse(plan: &Plan) -> Result<Report, RehearseError> {
    let folder = tempfile::tempdir().map_err(RehearseError::Folder)?;
    let server = start(folder.path()).await?;
    let desk = Desk { http: server.http, admin: server.admin, token: server.admin_token.clone() };
    let report = play(plan, &desk).await;
    server.stop().await;
    report
}

async fn start(folder: &std::path::Path) -> Result<RunningServer, RehearseError> {
    let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let options = ServerOptions { http: loopback, admin: loopback, limits: false, ..ServerOptions::new(folder) };
    let server = Server::start(options).await?;
    let actor = server.engine.desk_actor().await?;
    server.engine.fill_demo(&actor, DemoSize::County, "B").await?;
    Ok(server)
}

async fn play(plan: &Plan, desk: &Desk) -> Result<Report, RehearseError> {
    let mut workers = Vec::with_capacity(plan.phones);
    for (number, phone) in join(desk, plan.phones).await?.into_iter().enumerate() {
        workers.push(work::Worker::new(number, phone, plan));
    }
    for worker in &mut workers {
        worker.pull().await?;
    }
    let lost = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut running = JoinSet::new();
    for mut worker in workers {
        let lost = Arc::clone(&lost);
        running.spawn(async move {
            let done = worker.work(&lost).await;
            done.map(|()| worker)
        });
    }
    let mut workers = Vec::with_capacity(plan.phones);
    while let Some(ended) = running.join_next().await {
        workers.push(ended??);
    }
    let elapsed = began.elapsed();
    for worker in &mut workers {
        worker.pull().await?;
    }
    let proof = proof::prove(desk, &mut workers).await?;
    let ops = plan.phones * plan.ops;
    Ok(Report {
        phones: plan.phones,
        ops,
        elapsed_ms: elapsed.as_secs_f64() * 1_000.0,
        ops_per_s: figures::per_second(ops, elapsed),
        answers_lost: lost.load(Ordering::Relaxed),
        push_ms: Figures::of(workers.iter().flat_map(|worker| worker.pushes.iter().copied())),
        pull_ms: Figures::of(workers.iter().flat_map(|worker| worker.phone.pulls.iter().copied())),
        proof,
    })
}

/// The report for people.
impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { phones, ops, elapsed_ms, ops_per_s, answers_lost, push_ms, pull_ms, proof } = self;
        let took = Duration::from_secs_f64(elapsed_ms / 1_000.0);
        writeln!(f, "{phones} phones made {ops} entries in {took:.1?}: {ops_per_s:.0} a second")?;
        writeln!(f, "push  {push_ms}")?;
        writeln!(f, "pull  {pull_ms}")?;
        writeln!(f, "{answers_lost} answers were lost on purpose and sent again")?;
        let verdicts: Vec<String> =
            proof.verdicts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
        writeln!(f, "verdicts: {}", verdicts.join(", "))?;
        for fault in proof.faults.iter().take(proof::FAULTS_SHOWN) {
            writeln!(f, "FAULT: {fault}")?;
        }
        if self.is_good() {
            write!(f, "every entry is on the desk exactly once")
        } else {
            write!(f, "{} faults, {} of {ops} entries checked", proof.faults.len(), proof.ops)
        }
    }
}
