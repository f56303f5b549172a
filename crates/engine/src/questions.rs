//! The desk asks the author of a disputed entry, who answers from the same device. Nothing is decided by it.

use showdesk_domain::actor::{Actor, DeviceKind};
use showdesk_domain::conflict::{Conflict, ConflictStatus};
use showdesk_domain::ids::ConflictId;
use showdesk_domain::permit::Action;
use showdesk_store::questions::{AnswerRow, QuestionRow};
use showdesk_store::{Tx, audit, conflicts, people, questions};
use uuid::Uuid;

use crate::api::conflicts::{AnswerWords, ConflictView, Words};
use crate::audit::about_question;
use crate::rights::{may_with_clash, require};
use crate::{Engine, EngineError, Result, Wake};

/// Longest question, and longest answer.
const WORDS_CHARS_MAX: usize = 500;
/// How often the author of an entry is asked about it.
const QUESTIONS_OF_CLASH_MAX: i64 = 20;
/// Questions that wait for an answer on one phone.
const QUESTIONS_OF_PHONE_MAX: i64 = 100;

impl Engine {
    /// Asks the author of an entry that waits for a decision. A later question takes the place of the one before.
    pub async fn ask_author(&self, actor: &Actor, id: Uuid, words: Words) -> Result<ConflictView> {
        require(actor, Action::Decide)?;
        let question = clean(&words.text)?;
        let now = self.now();
        let mut tx = self.begin_write_as(actor).await?;
        let clash = open_clash(&mut tx, id).await?;
        let device = people::device(&mut tx, clash.device_id).await?.ok_or(EngineError::NotFound("the device"))?;
        if device.kind == DeviceKind::Desk {
            return Err(wrong_state("this was entered at the laptop; there is no phone to ask"));
        }
        if device.revoked_at.is_some() {
            return Err(wrong_state("this phone was removed from the show; it hears nothing any more"));
        }
        self.refuse_more_questions(&mut tx, &clash).await?;
        let record = about_question(actor, "conflict_asked", &clash, &question, now);
        let row = QuestionRow {
            id: self.fresh_id(),
            conflict_id: clash.id,
            asked_by: actor.person,
            asked_at: now,
            question,
            answer: None,
        };
        questions::add(&mut tx, &row).await?;
        audit::add(&mut tx, &[record]).await?;
        self.tell_and_commit(tx, &clash).await?;
        self.conflict_view(actor, clash.id).await
    }

    /// A clash is asked about a few times, and a phone has a bounded number of questions to answer.
    async fn refuse_more_questions(&self, tx: &mut Tx, clash: &Conflict) -> Result<()> {
        let too_many = |detail: &str| {
            Err(EngineError::Stale { code: "too_many_questions", detail: detail.to_owned(), fresh: None })
        };
        if questions::count_about(tx, clash.id).await? >= QUESTIONS_OF_CLASH_MAX {
            return too_many("this entry was asked about too often; decide with what is known, or call the person");
        }
        let asked = questions::of_conflicts(tx, &[clash.id]).await?.pop();
        let takes_a_place = asked.is_none_or(|asked| asked.answer.is_some());
        if takes_a_place && questions::count_waiting(tx, clash.device_id).await? >= QUESTIONS_OF_PHONE_MAX {
            return too_many("this phone has many questions to answer already");
        }
        Ok(())
    }

    /// Answers what the desk asked about an entry of this device. A later answer takes the place of the one before.
    pub async fn answer_question(&self, actor: &Actor, id: Uuid, words: AnswerWords) -> Result<ConflictView> {
        let text = clean(&words.text)?;
        self.refuse_unseen(actor, ConflictId(id)).await?;
        let now = self.now();
        let mut tx = self.begin_write_as(actor).await?;
        let clash = conflicts::load(&mut tx, &[ConflictId(id)]).await?.pop();
        // What another device has entered is answered as if it were not there.
        if !clash.is_some_and(|clash| may_with_clash(actor, Action::AnswerClash, &clash)) {
            return Err(NOT_FOUND);
        }
        let clash = open_clash(&mut tx, id).await?;
        let asked = questions::of_conflicts(&mut tx, &[clash.id]).await?.pop();
        let asked = asked.ok_or_else(|| wrong_state("nobody has asked about this entry"))?;
        if asked.id != words.question {
            drop(tx);
            let fresh = serde_json::to_value(self.conflict_view(actor, clash.id).await?).expect("a view is plain data");
            let detail = "something else was asked meanwhile; read it and answer again".to_owned();
            return Err(EngineError::Stale { code: "question_moved", detail, fresh: Some(fresh) });
        }
        let record = about_question(actor, "conflict_answered", &clash, &text, now);
        questions::answer(&mut tx, asked.id, &AnswerRow { by: actor.person, at: now, text }).await?;
        audit::add(&mut tx, &[record]).await?;
        self.tell_and_commit(tx, &clash).await?;
        self.conflict_view(actor, clash.id).await
    }

    /// The clash is as it was; who looks at it looks again.
    async fn tell_and_commit(&self, mut tx: Tx, clash: &Conflict) -> Result<()> {
        let wake = Wake::Conflict { id: clash.id.0, rev: clash.rev, status: clash.status.as_str().to_owned() };
        self.tell_neighbours(&mut tx, std::slice::from_ref(&wake)).await?;
        self.commit(tx).await?;
        self.wake(wake);
        Ok(())
    }
}

const NOT_FOUND: EngineError = EngineError::NotFound("the clash");

async fn open_clash(tx: &mut Tx, id: Uuid) -> Result<Conflict> {
    let clash = conflicts::load(tx, &[ConflictId(id)]).await?.pop().ok_or(NOT_FOUND)?;
    if clash.status == ConflictStatus::Open { Ok(clash) } else { Err(wrong_state("this is decided already")) }
}

fn wrong_state(detail: &str) -> EngineError {
    EngineError::Stale { code: "wrong_state", detail: detail.to_owned(), fresh: None }
}

fn clean(text: &str) -> Result<String> {
    if text.contains('\0') {
        return Err(EngineError::invalid("invalid_character", "U+0000 cannot be stored"));
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(EngineError::invalid("required", "write a few words"));
    }
    if text.chars().count() > WORDS_CHARS_MAX {
        return Err(EngineError::invalid("too_large", "at most 500 characters"));
    }
    Ok(text.to_owned())
}
