//! Fills an empty show with the invented one of the domain.

use chrono::Duration;
use serde_json::{Map, json};
use showdesk_domain::actor::Actor;
use showdesk_domain::demo::{self, DemoMoment};
use showdesk_domain::ids::RecordId;
use showdesk_domain::op::{OpDraft, Operation};
use showdesk_domain::permit::Action;
use showdesk_domain::schema::known_table;
use showdesk_store::records;

use crate::api::sync::VerdictName;
use crate::rights::require;
use crate::{DemoSize, Engine, EngineError, Result};

/// How long the invented fair lasts.
const SHOW_DAYS: i64 = 3;

impl Engine {
    /// Fills an empty show with invented people and animals, the same for the same size. All of it comes in one
    /// transaction: of a filling that is cut short nothing is there, and the next one begins anew.
    pub async fn fill_demo(&self, actor: &Actor, size: DemoSize, stage: &str) -> Result<()> {
        require(actor, Action::SetUp)?;
        let mut tx = self.begin_read_as(actor).await?;
        let counts = records::overview_counts(&mut tx).await?;
        drop(tx);
        if counts.exhibitors + counts.animals + counts.entries + counts.classes + counts.rings > 0 {
            let detail = "This show already has rows; an invented one is only put into an empty folder.";
            return Err(EngineError::invalid("not_empty", detail));
        }
        let moment = DemoMoment { at: self.now(), person: actor.person.0 };
        let mut ops = match size {
            DemoSize::Small => demo::small(moment),
            DemoSize::County => demo::county(moment),
            DemoSize::Expo => demo::expo(moment),
        };
        let rows = ops.len();
        ops.push(self.show_as_demo(stage).await?);
        let results = self.write_ops(actor, ops).await?;
        if let Some(refused) = results.iter().find(|result| result.verdict != VerdictName::Applied) {
            let detail = format!("The invented show does not fit into this one: {:?}", refused.error);
            return Err(EngineError::invalid("not_empty", detail));
        }
        self.note(actor, "demo_filled", None, Some(json!({ "rows": rows }))).await
    }

    async fn show_as_demo(&self, stage: &str) -> Result<OpDraft> {
        let mut tx = self.begin_read_desk().await?;
        let shows = records::load(&mut tx, known_table("shows"), &[RecordId(self.inner.show_id)]).await?;
        let show = shows.into_iter().next().ok_or(EngineError::NotFound("the show"))?;
        let first_day = self.now().date_naive();
        let wanted = json!({
            "name": demo::SHOW_NAME,
            "venue": demo::SHOW_VENUE,
            "starts_on": first_day.to_string(),
            "ends_on": (first_day + Duration::days(SHOW_DAYS - 1)).to_string(),
            "weight_unit": "lb",
            "stage": stage,
        });
        let (mut data, mut base) = (Map::new(), Map::new());
        for (field, value) in wanted.as_object().into_iter().flatten() {
            let present = show.value(field).to_json();
            if present != *value {
                data.insert(field.clone(), value.clone());
                base.insert(field.clone(), present);
            }
        }
        Ok(OpDraft {
            op_id: self.fresh_id(),
            table_name: "shows",
            record_id: show.id.0,
            operation: Operation::Update,
            base_version: show.version.0,
            data,
            base: Some(base),
            reason: Some("Demo show".to_owned()),
        })
    }
}
