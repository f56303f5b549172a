//! The templates that a show begins with.

use chrono::{DateTime, Utc};
use serde_json::json;
use showdesk_domain::actor::Function::{Announcer, Gate, Scale};
use showdesk_domain::notices::Priority;
use showdesk_domain::notices::Priority::{High, Normal, Urgent};
use showdesk_domain::notices::audience::Audience;
use showdesk_store::Tx;
use showdesk_store::notifications::settings;
use showdesk_store::notifications::templates::{self, TemplateRow};
use uuid::Uuid;

use crate::{Engine, Result};

/// Name, type, priority, title, text, and whom it is for.
type Seed = (&'static str, &'static str, Priority, &'static str, Option<&'static str>, Audience);

/// Those that hang on the programme, and the weather.
fn of_the_day() -> Vec<Seed> {
    let ring = || Audience::of_functions(&[Gate, Announcer]);
    vec![
        (
            "Class to make-ready",
            "class_call",
            High,
            "{class} to make-ready, {ring}, at {time}.",
            Some("Bring your exhibitor number and wait at the gate."),
            ring(),
        ),
        ("Class final call", "class_call", High, "{class}, final call to {ring}.", None, ring()),
        (
            "Weigh-in closes",
            "weigh_closing",
            High,
            "Weigh-in closes at {time}.",
            Some("Bring animals that are not weighed to the scale now."),
            Audience::of_functions(&[Scale]),
        ),
        (
            "Lightning",
            "weather",
            Urgent,
            "Lightning. Keep all animals in the barns.",
            Some("Leave the rings and the wash rack. Wait inside until the desk says it is clear."),
            Audience::everybody(),
        ),
        (
            "All clear",
            "weather",
            High,
            "All clear. The show goes on.",
            Some("You can leave the barns. Watch for your class."),
            Audience::everybody(),
        ),
    ]
}

/// Those about breaks, single people, and the end of the show.
fn of_the_office() -> Vec<Seed> {
    let open = Audience::default;
    vec![
        (
            "Lunch break",
            "schedule",
            Normal,
            "Lunch break in all rings.",
            Some("The show starts again at 1:00."),
            Audience::everybody(),
        ),
        (
            "Running late",
            "schedule",
            Normal,
            "{ring} is running late.",
            Some("Wait for the call of your class."),
            open(),
        ),
        ("Come to the superintendent", "see_super", High, "Please come to the superintendent.", None, open()),
        (
            "Sale lots line up",
            "sale",
            High,
            "Sale lots, please line up.",
            Some("Bring your animals to the sale ring in lot order."),
            open(),
        ),
        (
            "Animals are released",
            "release",
            Normal,
            "Animals are released.",
            Some("You can load now. Show your release slip at the gate."),
            Audience::everybody(),
        ),
        ("Office needs you", "message", High, "Please come to the show office.", None, open()),
    ]
}

impl Engine {
    /// Gives the show its first templates, once: what was removed later stays removed.
    pub(crate) async fn make_first_templates(&self) -> Result<()> {
        let mut tx = self.begin_read_desk().await?;
        if settings::read::<bool>(&mut tx, settings::TEMPLATES).await?.is_some() {
            return Ok(());
        }
        drop(tx);
        let now = self.now();
        let mut tx = self.begin_write_desk().await?;
        add(&mut tx, self.inner.show_id, now).await?;
        self.commit(tx).await
    }
}

async fn add(tx: &mut Tx, show: Uuid, now: DateTime<Utc>) -> Result<()> {
    for (place, (name, kind, priority, title, body, audience)) in (1..).zip([of_the_day(), of_the_office()].concat()) {
        let row = TemplateRow {
            // Two desks that begin together make the same ones.
            id: Uuid::new_v5(&show, format!("template {name}").as_bytes()),
            name: name.to_owned(),
            kind: kind.to_owned(),
            priority,
            title: title.to_owned(),
            body: body.map(str::to_owned),
            audience,
            needs_ack: priority != Normal,
            place,
            created_at: now,
            updated_at: now,
        };
        templates::add(tx, &row).await?;
    }
    settings::write(tx, settings::TEMPLATES, &json!(true), None, now).await?;
    Ok(())
}
