//! What an admin chose for all messages: which the desk sends by itself, and when far phones are left alone.

use chrono::{DateTime, Utc};
use serde_json::json;
use showdesk_domain::actor::Actor;
use showdesk_domain::notices::automatic::{Choice, Choices};
use showdesk_domain::notices::quiet::Quiet;
use showdesk_domain::permit::Action;
use showdesk_store::Tx;
use showdesk_store::notifications::settings;

use super::texts::invalid;
use crate::api::notifications::{AutomaticInput, AutomaticView};
use crate::rights::require;
use crate::{Engine, Result};

/// A day: longest time that a kind of message counts with.
const MINUTES_MAX: i64 = 24 * 60;
/// A department's weigh-in may close once a day of a long show.
const CLOSINGS_MAX: usize = 60;

impl Engine {
    /// What the desk sends by itself, and when it is quiet.
    pub async fn automatic_messages(&self, actor: &Actor) -> Result<AutomaticView> {
        require(actor, Action::Message)?;
        let mut tx = self.begin_read_as(actor).await?;
        view(&mut tx).await
    }

    /// Chooses it; what is not named stays.
    pub async fn choose_automatic_messages(&self, actor: &Actor, asked: AutomaticInput) -> Result<AutomaticView> {
        require(actor, Action::Message)?;
        asked.items.iter().try_for_each(check)?;
        if asked.quiet.flatten().is_some_and(|quiet| quiet.from == quiet.to) {
            return Err(invalid("out_of_range", "quiet.to", "quiet hours end at another time than they begin"));
        }
        let now = self.now();
        let mut tx = self.begin_write_as(actor).await?;
        let kept: Choices = settings::read(&mut tx, settings::AUTOMATIC).await?.unwrap_or_default();
        let mut choices = kept.complete();
        for item in asked.items {
            if let Some(choice) = choices.iter_mut().find(|choice| choice.key == item.key) {
                // Minutes and closing times that are not given stay.
                let minutes = item.minutes.or(choice.minutes);
                *choice = Choice { minutes, ..item };
            }
        }
        let by = Some(actor.person);
        settings::write(&mut tx, settings::AUTOMATIC, &json!(choices), by, now).await?;
        if let Some(quiet) = asked.quiet {
            settings::write(&mut tx, settings::QUIET, &json!(quiet), by, now).await?;
        }
        let view = view(&mut tx).await?;
        let chosen = json!({ "items": view.items, "quiet": view.quiet });
        crate::audit::note(&mut tx, actor, "message_settings_changed", now, None, Some(chosen)).await?;
        self.commit(tx).await?;
        Ok(view)
    }

    /// When the quiet hours end in which we are, by the clock on the show's wall; none if it is not quiet.
    pub(crate) async fn quiet_until(&self) -> Result<Option<DateTime<Utc>>> {
        let mut tx = self.begin_read_desk().await?;
        let quiet: Option<Quiet> = settings::read(&mut tx, settings::QUIET).await?.flatten();
        let Some(quiet) = quiet else { return Ok(None) };
        let manner = super::texts::manner(&mut tx, self.inner.show_id).await?;
        Ok(quiet.ends_after(self.now(), &manner.timezone))
    }
}

async fn view(tx: &mut Tx) -> Result<AutomaticView> {
    let choices: Choices = settings::read(tx, settings::AUTOMATIC).await?.unwrap_or_default();
    let quiet: Option<Quiet> = settings::read(tx, settings::QUIET).await?.flatten();
    Ok(AutomaticView { items: choices.complete(), quiet })
}

fn check(item: &Choice) -> Result<()> {
    let field = |name: &str| format!("items.{}.{name}", item.key.as_str());
    match (item.key.minutes(), item.minutes) {
        (None, Some(_)) => {
            return Err(invalid("unknown_field", &field("minutes"), "this kind counts with no minutes"));
        }
        (Some(_), Some(minutes)) if !(1..=MINUTES_MAX).contains(&minutes) => {
            return Err(invalid("out_of_range", &field("minutes"), "1 to 1,440 minutes are possible"));
        }
        _ => {}
    }
    let has_closes = item.key == showdesk_domain::notices::automatic::Automatic::WeighClosing;
    if !has_closes && !item.closes.is_empty() {
        return Err(invalid("unknown_field", &field("closes"), "only weigh-in closes"));
    }
    if item.closes.len() > CLOSINGS_MAX {
        return Err(invalid("too_large", &field("closes"), "at most 60 closing times fit"));
    }
    let is_known = |department: &str| super::writing::SPECIES.contains(&department);
    if !item.closes.iter().all(|closing| is_known(&closing.department)) {
        return Err(invalid("unknown_audience", &field("closes"), "there is no such department"));
    }
    Ok(())
}
