//! Messages that are ready to be filled in and sent.

use chrono::{DateTime, Utc};
use serde_json::json;
use showdesk_domain::actor::Actor;
use showdesk_domain::notices::Priority;
use showdesk_domain::notices::audience::Audience;
use showdesk_domain::permit::Action;
use showdesk_store::Tx;
use showdesk_store::notifications::templates::{self as rows, TemplateRow};
use uuid::Uuid;

use super::texts::{clean, invalid};
use super::writing::{audience, kind};
use crate::api::notifications::{AudienceInput, Template, TemplateInput, TemplateList};
use crate::names::clean_name;
use crate::rights::require;
use crate::{Engine, EngineError, Result};

/// Templates that a show keeps.
const TEMPLATES_MAX: usize = 200;

impl Engine {
    /// All templates.
    pub async fn message_templates(&self, actor: &Actor) -> Result<TemplateList> {
        require(actor, Action::Message)?;
        let mut tx = self.begin_read_as(actor).await?;
        let found = rows::all(&mut tx).await?;
        Ok(TemplateList { items: found.into_iter().map(view).collect() })
    }

    /// Adds a template.
    pub async fn add_message_template(&self, actor: &Actor, asked: TemplateInput) -> Result<Template> {
        require(actor, Action::Message)?;
        let now = self.now();
        let id = crate::ids::fresh_id(now);
        let mut tx = self.begin_write_as(actor).await?;
        let known = rows::all(&mut tx).await?;
        if known.len() >= TEMPLATES_MAX {
            return Err(invalid("too_many", "name", "remove a template first: at most 200 are kept"));
        }
        let place = known.iter().map(|row| row.place).max().unwrap_or(0) + 1;
        let row = TemplateRow { place, ..row(&mut tx, asked, id, now).await? };
        rows::add(&mut tx, &row).await?;
        self.note_template(&mut tx, actor, "message_template_added", &row).await?;
        self.commit(tx).await?;
        Ok(view(row))
    }

    /// Writes a template anew.
    pub async fn change_message_template(&self, actor: &Actor, id: Uuid, asked: TemplateInput) -> Result<Template> {
        require(actor, Action::Message)?;
        let mut tx = self.begin_write_as(actor).await?;
        let row = row(&mut tx, asked, id, self.now()).await?;
        if !rows::change(&mut tx, &row).await? {
            return Err(EngineError::NotFound("the template"));
        }
        self.note_template(&mut tx, actor, "message_template_changed", &row).await?;
        self.commit(tx).await?;
        Ok(view(row))
    }

    /// Removes a template; what was made from it stays.
    pub async fn remove_message_template(&self, actor: &Actor, id: Uuid) -> Result<()> {
        require(actor, Action::Message)?;
        let mut tx = self.begin_write_as(actor).await?;
        let known = rows::all(&mut tx).await?.into_iter().find(|row| row.id == id);
        let Some(row) = known else { return Err(EngineError::NotFound("the template")) };
        rows::remove(&mut tx, id).await?;
        self.note_template(&mut tx, actor, "message_template_removed", &row).await?;
        self.commit(tx).await
    }

    async fn note_template(&self, tx: &mut Tx, actor: &Actor, action: &str, row: &TemplateRow) -> Result<()> {
        let after = json!({ "name": row.name, "title": row.title });
        Ok(crate::audit::note(tx, actor, action, self.now(), Some(row.id), Some(after)).await?)
    }
}

async fn row(tx: &mut Tx, asked: TemplateInput, id: Uuid, now: DateTime<Utc>) -> Result<TemplateRow> {
    let text = clean(&asked.title, asked.body.as_deref())?;
    let priority = asked.priority.unwrap_or(Priority::Normal);
    Ok(TemplateRow {
        id,
        name: clean_name(&asked.name)?,
        kind: kind(asked.kind.as_deref())?,
        priority,
        title: text.title,
        body: text.body,
        audience: match &asked.audience {
            Some(asked) => audience(tx, asked, true).await?,
            None => Audience::default(),
        },
        needs_ack: asked.needs_ack.unwrap_or(priority != Priority::Normal),
        place: 0,
        created_at: now,
        updated_at: now,
    })
}

fn view(row: TemplateRow) -> Template {
    Template {
        id: row.id,
        name: row.name,
        kind: row.kind,
        priority: row.priority,
        title: row.title,
        body: row.body,
        audience: (!row.audience.is_empty()).then(|| AudienceInput::from(&row.audience)),
        needs_ack: row.needs_ack,
    }
}
