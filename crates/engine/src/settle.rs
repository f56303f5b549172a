//! Decisions about clashes at the writer: resolve, undo, reopen, withdraw, disagree (PROTOCOL.md §5).

use std::any::Any;

use serde_json::Map;
use showdesk_domain::actor::Actor;
use showdesk_domain::conflict::Conflict;
use showdesk_domain::ids::{ConflictId, Seq, Version};
use showdesk_domain::permit::Action as Right;
use showdesk_domain::world::{Decision, Needs, SettleError, World};
use showdesk_store::audit::AuditRow;
use showdesk_store::{StoreError, Tx, audit, conflicts};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::api::conflicts::{ConflictView, Disagree, Reason, Resolution, Resolve};
use crate::audit::about_clash;
use crate::people::{Author, author};
use crate::rights::{not_in_the_team, require};
use crate::writer::{BesideFuture, Job};
use crate::{Engine, EngineError, Result};

/// Longest idempotency key.
pub(crate) const KEY_CHARS_MAX: usize = 200;
/// Longest reason or note.
const REASON_CHARS_MAX: usize = 10_000;

impl Engine {
    /// Decides a clash; answers it as it is now. The same idempotency key gives the same answer.
    pub async fn resolve(&self, actor: &Actor, id: Uuid, request: Resolve) -> Result<ConflictView> {
        require(actor, Right::Decide)?;
        let key = request.idempotency_key.clone();
        if key.is_empty() || key.chars().count() > KEY_CHARS_MAX || key.contains('\0') {
            return Err(EngineError::invalid("idempotency_key", "a key of 1 to 200 characters is needed"));
        }
        let resolution = match request.resolution {
            Resolution::ClientWins => "client_wins",
            Resolution::ServerWins => "server_wins",
            Resolution::Manual => "manual",
        };
        if self.was_decided_by(actor, &key, id, resolution).await? {
            return self.conflict(actor, id).await;
        }
        let decision = Decision {
            resolution,
            data: request.data.unwrap_or_default(),
            expected_server_version: Version(request.expected_server_version),
            rev: request.rev,
            reason: clean_reason(request.reason)?,
        };
        let decision_key = DecisionKey { key: key.clone(), at: self.now() };
        match self.settle(actor, id, Action::Resolve(decision, decision_key)).await {
            // Two requests with one key at once: the first has decided, the second answers the same.
            Err(EngineError::Store(StoreError::Duplicate { .. }) | EngineError::Stale { .. })
                if self.was_decided_by(actor, &key, id, resolution).await? =>
            {
                self.conflict(actor, id).await
            }
            Err(EngineError::Store(StoreError::Duplicate { .. })) => {
                Err(EngineError::invalid("unique_violation", "another row has one of these values"))
            }
            settled => settled,
        }
    }

    /// Takes a decision back; the clash is open again.
    pub async fn undo(&self, actor: &Actor, id: Uuid, request: Reason) -> Result<ConflictView> {
        require(actor, Right::Decide)?;
        let reason = clean_reason(request.reason)?;
        self.settle(actor, id, Action::Undo(reason)).await
    }

    /// Opens a closed clash again; what is in force stays so.
    pub async fn reopen(&self, actor: &Actor, id: Uuid, request: Reason) -> Result<ConflictView> {
        require(actor, Right::Decide)?;
        let reason = clean_reason(request.reason)?;
        self.settle(actor, id, Action::Reopen(reason)).await
    }

    /// The author takes an entry back that waits for a decision.
    pub async fn withdraw(&self, actor: &Actor, id: Uuid) -> Result<ConflictView> {
        self.refuse_unseen(actor, ConflictId(id)).await?;
        self.settle(actor, id, Action::Withdraw).await
    }

    /// The author disagrees with a decision: it is open again, the decided value stays in force.
    pub async fn disagree(&self, actor: &Actor, id: Uuid, request: Disagree) -> Result<ConflictView> {
        let note = clean_reason(request.note)?;
        self.refuse_unseen(actor, ConflictId(id)).await?;
        self.settle(actor, id, Action::Disagree(note)).await
    }

    /// Whether this key has decided this clash so; an error if it has decided another, or otherwise.
    async fn was_decided_by(&self, actor: &Actor, key: &str, id: Uuid, resolution: &str) -> Result<bool> {
        let mut tx = self.begin_read_as(actor).await?;
        let Some(decided) = conflicts::decision(&mut tx, key).await? else { return Ok(false) };
        let known = conflicts::load(&mut tx, &[decided]).await?.pop().filter(|clash| clash.id.0 == id);
        let is_so = |clash: &Conflict| clash.decisions.iter().any(|decision| decision["resolution"] == resolution);
        if known.is_some_and(|clash| is_so(&clash)) {
            Ok(true)
        } else {
            Err(EngineError::invalid("idempotency_key", "this key was used for another decision"))
        }
    }

    async fn settle(&self, actor: &Actor, id: Uuid, action: Action) -> Result<ConflictView> {
        let (answer, answered) = oneshot::channel();
        let job = SettleJob { actor: actor.clone(), present: None, id: ConflictId(id), action, record: None, answer };
        self.inner.writer.submit(Box::new(job), 0)?;
        let settled = answered.await.map_err(|_| EngineError::Busy { retry_after_ms: 1_000 })?;
        match settled {
            Ok(()) => self.conflict_view(actor, ConflictId(id)).await,
            Err(EngineError::Stale { code, detail, .. }) => {
                let fresh = self.conflict_view(actor, ConflictId(id)).await?;
                let fresh = serde_json::to_value(fresh).expect("a view is plain data");
                Err(EngineError::Stale { code, detail, fresh: Some(fresh) })
            }
            Err(error) => Err(error),
        }
    }
}

struct DecisionKey {
    key: String,
    at: chrono::DateTime<chrono::Utc>,
}

enum Action {
    Resolve(Decision, DecisionKey),
    Undo(Option<String>),
    Reopen(Option<String>),
    Withdraw,
    Disagree(Option<String>),
}

impl Action {
    fn name(&self) -> &'static str {
        match self {
            Self::Resolve(..) => "conflict_resolved",
            Self::Undo(_) => "conflict_undone",
            Self::Reopen(_) => "conflict_reopened",
            Self::Withdraw => "conflict_withdrawn",
            Self::Disagree(_) => "conflict_disagreed",
        }
    }

    fn reason(&self) -> Option<String> {
        match self {
            Self::Resolve(decision, _) => decision.reason.clone(),
            Self::Undo(reason) | Self::Reopen(reason) | Self::Disagree(reason) => reason.clone(),
            Self::Withdraw => None,
        }
    }
}

struct SettleJob {
    /// As it was when it asked.
    actor: Actor,
    /// As it is while it is decided.
    present: Option<Author>,
    id: ConflictId,
    action: Action,
    /// What is filed about it, once it is decided.
    record: Option<AuditRow>,
    answer: oneshot::Sender<Result<()>>,
}

impl Job for SettleJob {
    fn look<'a>(&'a mut self, tx: &'a mut Tx) -> BesideFuture<'a> {
        Box::pin(async move {
            self.present = author(tx, self.actor.person, self.actor.device).await?;
            Ok(())
        })
    }

    fn missing(&self, world: &World) -> Needs {
        match &self.action {
            Action::Resolve(decision, _) => {
                world.missing_for_decision(self.id, &decision.data, Some(decision.expected_server_version))
            }
            _ => world.missing_for_settling(self.id, &Map::new()),
        }
    }

    fn apply(&mut self, world: &mut World) -> Result<()> {
        self.record = None;
        // Rights may have changed while it waited for its turn.
        self.actor = match self.present.take() {
            None => return Err(not_in_the_team()),
            Some(present) if present.is_removed => return Err(EngineError::DeviceRemoved),
            Some(present) => present.actor,
        };
        if matches!(self.action, Action::Resolve(..) | Action::Undo(_) | Action::Reopen(_)) {
            require(&self.actor, Right::Decide)?;
        }
        let was = world.conflict(self.id).map(|clash| clash.status);
        let settled = match &self.action {
            Action::Resolve(decision, _) => world.resolve(&self.actor, self.id, decision),
            Action::Undo(reason) => world.undo(&self.actor, self.id, reason.as_deref()),
            Action::Reopen(reason) => world.reopen_closed(&self.actor, self.id, reason.as_deref()),
            Action::Withdraw => world.withdraw(&self.actor, self.id),
            Action::Disagree(note) => world.disagree(&self.actor, self.id, note.as_deref()),
        };
        settled.map_err(engine_error)?;
        // Withdrawing once more changes nothing, and there is nothing to file.
        if let (Some(was), Some(clash)) = (was, world.conflict(self.id).filter(|clash| Some(clash.status) != was)) {
            let record = about_clash(&self.actor, self.action.name(), was, clash, world.now);
            self.record = Some(AuditRow { reason: self.action.reason(), ..record });
        }
        Ok(())
    }

    fn write_beside<'a>(&'a self, tx: &'a mut Tx) -> BesideFuture<'a> {
        Box::pin(async move {
            if let Action::Resolve(_, key) = &self.action {
                conflicts::add_decision(tx, &key.key, self.id, key.at).await?;
            }
            audit::add(tx, self.record.as_slice()).await
        })
    }

    fn runs_alone(&self) -> bool {
        true
    }

    fn answer(self: Box<Self>, committed: Result<Seq>) {
        // The requester may have gone; the decision stands all the same.
        let _ = self.answer.send(committed.map(|_| ()));
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

pub(crate) fn engine_error(error: SettleError) -> EngineError {
    let stale = |code, detail: &str| EngineError::Stale { code, detail: detail.to_owned(), fresh: None };
    match error {
        SettleError::NotFound => EngineError::NotFound("the clash"),
        SettleError::AlreadyResolved => stale("already_resolved", "somebody has just decided this"),
        SettleError::Moved => stale("server_moved", "the values have changed since you looked"),
        SettleError::NotPossible(why) => stale("wrong_state", why),
        SettleError::Invalid(rejection) => {
            EngineError::Invalid { code: rejection.code, detail: rejection.detail, fields: rejection.fields }
        }
    }
}

pub(crate) fn clean_reason(reason: Option<String>) -> Result<Option<String>> {
    match reason {
        Some(text) if text.contains('\0') => Err(EngineError::invalid("invalid_character", "U+0000 cannot be stored")),
        Some(text) if text.chars().count() > REASON_CHARS_MAX => {
            Err(EngineError::invalid("too_large", "the reason is too long"))
        }
        reason => Ok(reason.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())),
    }
}
