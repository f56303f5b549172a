//! What stands in a message: checked as it was typed, filled in, and made to fit.

use chrono::{DateTime, Utc};
use showdesk_domain::ids::RecordId;
use showdesk_domain::notices::audience::Audience;
use showdesk_domain::notices::fill::{Filling, fill, fit};
use showdesk_domain::notices::words::{Manner, class_name, cut, listed};
use showdesk_domain::notices::{BODY_CHARS_MAX, TITLE_CHARS_MAX};
use showdesk_domain::record::Record;
use showdesk_domain::schema::known_table;
use showdesk_domain::visible::{is_unseen, visible};
use showdesk_store::{Tx, records};
use uuid::Uuid;

use crate::api::notifications::RawText;
use crate::{EngineError, Result};

/// Classes that one text names.
const CLASSES_NAMED_MAX: usize = 3;

/// A title and a text as they were typed, without what cannot be seen.
pub(super) fn clean(title: &str, body: Option<&str>) -> Result<RawText> {
    let title = clean_text("title", title, TITLE_CHARS_MAX)?;
    if is_unseen(&title) {
        return Err(invalid("required", "title", "a message needs a title"));
    }
    let body = body.map(|body| clean_text("body", body, BODY_CHARS_MAX)).transpose()?;
    Ok(RawText { title, body: body.filter(|body| !is_unseen(body)) })
}

fn clean_text(field: &str, text: &str, chars_max: usize) -> Result<String> {
    if text.contains('\0') {
        return Err(invalid("invalid_character", field, "a character in it cannot be stored"));
    }
    let text = visible(text.trim());
    let text = text.trim();
    if text.chars().count() > chars_max {
        return Err(invalid("too_large", field, &format!("at most {chars_max} letters fit")));
    }
    Ok(text.to_owned())
}

/// A field that cannot be accepted.
pub(super) fn invalid(code: &'static str, field: &str, detail: &str) -> EngineError {
    EngineError::Invalid {
        code,
        detail: format!("{field}: {detail}"),
        fields: [(field.to_owned(), detail.to_owned())].into(),
    }
}

/// The texts with everything filled in.
pub(super) fn filled(raw: &RawText, filling: &Filling) -> Result<RawText> {
    let fill = |text: &str| {
        fill(text, filling).map_err(|name| {
            let detail = format!("nothing is known for {{{name}}}: choose a class, or take it out");
            EngineError::BadQuery { code: "placeholder_unfilled", detail }
        })
    };
    let (title, body) = (fill(&raw.title)?, raw.body.as_deref().map(fill).transpose()?);
    let (title, body) = fit(&title, body.as_deref());
    Ok(RawText { title, body: body.map(|body| cut(&body, BODY_CHARS_MAX)) })
}

/// What a message that hangs on these classes and rings can be filled with.
pub(super) async fn filling(
    tx: &mut Tx,
    manner: &Manner,
    audience: &Audience,
    before_class: Option<Uuid>,
    expires_at: Option<DateTime<Utc>>,
) -> Result<Filling> {
    let wanted: Vec<RecordId> = match before_class {
        Some(class) => vec![RecordId(class)],
        None => audience.class_ids.iter().take(CLASSES_NAMED_MAX).map(|id| RecordId(*id)).collect(),
    };
    let mut classes: Vec<Record> = records::load(tx, known_table("classes"), &wanted).await?;
    classes.sort_by_key(|class| wanted.iter().position(|id| *id == class.id));
    let mut rings: Vec<RecordId> =
        classes.iter().filter_map(|class| class.value("ring_id").as_id()).map(RecordId).collect();
    if rings.is_empty() {
        rings.extend(audience.rings.iter().take(CLASSES_NAMED_MAX).map(|id| RecordId(*id)));
    }
    rings.dedup();
    let found = records::load(tx, known_table("rings"), &rings).await?;
    let ring_names: Vec<String> = rings
        .iter()
        .filter_map(|id| found.iter().find(|ring| ring.id == *id)?.value("name").as_text().map(str::to_owned))
        .collect();
    let is_whole = before_class.is_some() || audience.class_ids.len() <= CLASSES_NAMED_MAX;
    let class_names: Vec<String> = classes.iter().map(class_name).collect();
    let planned = match classes.as_slice() {
        [class] => class.value("planned_at").as_instant(),
        _ => None,
    };
    let words = |names: &[String]| (!names.is_empty() && is_whole).then(|| listed(names));
    Ok(Filling {
        class: words(&class_names),
        ring: words(&ring_names),
        time: planned.or(expires_at).map(|at| manner.clock(at)),
    })
}

/// How this show writes times and weights.
pub(super) async fn manner(tx: &mut Tx, show: Uuid) -> Result<Manner> {
    let show = records::load(tx, known_table("shows"), &[RecordId(show)]).await?;
    Ok(Manner::of(show.first()))
}
