//! Clashes that wait for a person.

use chrono::Duration;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::{Draft, Known, SINGLES_MAX};
use crate::actor::Function::{Admin, Superintendent};
use crate::conflict::{Conflict, ConflictKind};
use crate::notices::Priority::High;
use crate::notices::audience::Audience;
use crate::notices::automatic::Automatic;
use crate::notices::facts::Facts;
use crate::notices::words::{Manner, class_name, listed};
use crate::record::Record;
use crate::schema::Access;
use crate::value::{Kind, TextForm};

/// Whoever decides tomorrow finds it in the list.
const CLASH_IS_OVER: Duration = Duration::hours(24);
/// Messages about single clashes in a few minutes; then they are told together.
const TOLD_MAX: i64 = 5;
/// What is told together is told again after so long, if there is more.
const TOGETHER_SECONDS: i64 = 600;

/// Clashes were found.
pub(super) fn opened(facts: &Facts, known: &Known<'_>, drafts: &mut Vec<Draft>) {
    let open: Vec<&Conflict> = known.clashes.iter().filter(|clash| facts.clashes.contains(&clash.id)).collect();
    if open.is_empty() {
        return;
    }
    if open.len() > SINGLES_MAX || known.clashes_told >= TOLD_MAX {
        let key = format!("several:{}", known.now.timestamp() / TOGETHER_SECONDS);
        let title = match open.len() {
            count if count > SINGLES_MAX => format!("{count} new clashes need a decision"),
            _ => "More clashes need a decision".to_owned(),
        };
        let mut draft = Draft::new(Automatic::Conflict, High, key, title);
        draft.audience = Audience::of_functions(&[Admin, Superintendent]);
        Automatic::Conflict.as_str().clone_into(&mut draft.collapse_key);
        draft.expires_at = Some(known.now + CLASH_IS_OVER);
        return drafts.push(draft.about("open", "#/needs-checking"));
    }
    for clash in open {
        let (title, body) = words(clash, known);
        let mut draft = Draft::new(Automatic::Conflict, High, clash.id, title);
        draft.body = Some(
            body.map_or_else(|| "It needs a decision.".to_owned(), |body| format!("{body}. It needs a decision.")),
        );
        draft.audience = decided_by(clash, known);
        draft.expires_at = Some(known.now + CLASH_IS_OVER);
        draft.from_device = Some(clash.device_id);
        let id = clash.id.to_string();
        drafts.push(draft.about("open", format!("#/needs-checking/{id}")).about("conflict_id", id));
    }
}

/// The key under which a clash is told.
pub fn key_of(clash: impl std::fmt::Display) -> String {
    format!("{}:{clash}", Automatic::Conflict.as_str())
}

/// Admins, and the superintendents of the department that it is about.
fn decided_by(clash: &Conflict, known: &Known<'_>) -> Audience {
    let of_departments = department_of(clash, known).into_iter().collect();
    Audience { of_departments, ..Audience::of_functions(&[Admin, Superintendent]) }
}

fn department_of(clash: &Conflict, known: &Known<'_>) -> Option<String> {
    let text = |row: Option<&Record>, path: &str| row.and_then(|row| row.value(path).as_text()).map(str::to_owned);
    text(animal_of(clash, known), "species").or_else(|| text(class_of(clash, known), "department"))
}

fn reference(clash: &Conflict, path: &str) -> Option<Uuid> {
    let rows = [clash.server_data.as_ref(), clash.client_data.as_ref()];
    let mut ids = rows.into_iter().flatten().filter_map(|row| row.get(path)).filter_map(Json::as_str);
    ids.find_map(|id| Uuid::try_parse(id).ok())
}

fn animal_of<'a>(clash: &Conflict, known: &Known<'a>) -> Option<&'a Record> {
    let own = (clash.table.name == "animals").then_some(clash.record_id.0);
    known.row("animals", own.or_else(|| reference(clash, "animal_id")))
}

fn class_of<'a>(clash: &Conflict, known: &Known<'a>) -> Option<&'a Record> {
    let own = (clash.table.name == "classes").then_some(clash.record_id.0);
    known.row("classes", own.or_else(|| reference(clash, "class_id")).or_else(|| reference(clash, "family_id")))
}

/// What clashes, and between which values.
fn words(clash: &Conflict, known: &Known<'_>) -> (String, Option<String>) {
    let animal = animal_of(clash, known).and_then(|animal| animal.value("tag").as_text());
    let tag = animal.map(|tag| format!("tag {tag}"));
    let is_card = clash.table.name == "placings" || clash.parts.iter().any(|part| part.table.name == "placings");
    if clash.table.name == "weigh_ins" {
        let about = tag.map(|tag| format!(" for {tag}")).unwrap_or_default();
        return (format!("Two weights{about}"), two(clash, "weight_x10"));
    }
    if is_card {
        let about = class_of(clash, known).map(|class| format!(" for {}", class_name(class))).unwrap_or_default();
        return (format!("Two result cards{about}"), None);
    }
    if clash.kind == ConflictKind::UniqueViolation {
        let what = match (clash.contested.first().map(String::as_str), clash.table.name) {
            (Some("tag"), _) => "Two animals have one tag",
            (Some("official_id"), _) => "Two animals have one official ID",
            (Some("back_number"), _) => "Two exhibitors have one number",
            (_, "classes") => "Two classes have one number",
            _ => "One number was given twice",
        };
        let value = clash.contested.first().and_then(|path| told(clash, clash.client_data.as_ref(), path));
        return (what.to_owned(), value);
    }
    let about = tag.or_else(|| class_of(clash, known).map(class_name));
    let about = about.map(|about| format!(" for {about}")).unwrap_or_default();
    let fields: Vec<String> = clash
        .contested
        .iter()
        .take(SINGLES_MAX)
        .map(|path| path.replace(['_', '.'], " ").replace(" x10", ""))
        .collect();
    let title = match (clash.kind.is_lifecycle(), fields.is_empty()) {
        (true, _) => format!("A change to a deleted entry{about}"),
        (false, true) => format!("Two entries disagree{about}"),
        (false, false) => format!("Two values{about}: {}", listed(&fields)),
    };
    let values = clash.contested.first().filter(|_| clash.contested.len() == 1).and_then(|path| two(clash, path));
    (title, values)
}

/// `1,262 / 1,226`: the desk's value and the phone's.
fn two(clash: &Conflict, path: &str) -> Option<String> {
    let (server, client) =
        (told(clash, clash.server_data.as_ref(), path)?, told(clash, clash.client_data.as_ref(), path)?);
    (server != client).then(|| format!("{server} / {client}"))
}

/// A value as a message tells it; none if the message must not. A message may leave the show's network, and whoever
/// gets it may not see contacts: it holds numbers, codes and words of a list, and nothing that somebody wrote, which may
/// be a child's name.
fn told(clash: &Conflict, row: Option<&Map<String, Json>>, path: &str) -> Option<String> {
    let field = clash.table.fields.iter().find(|field| field.path == path)?;
    let may_leave = match field.kind {
        Kind::Text { form, .. } => form == TextForm::Code,
        Kind::Int { .. } | Kind::Bool | Kind::Instant | Kind::Date | Kind::Choice(_) => true,
        Kind::Id(_) | Kind::List(_) => false,
    };
    let value = row?.get(path)?;
    if !may_leave || field.access == Access::Office || value.is_null() {
        return None;
    }
    match value.as_i64() {
        Some(weight) if path.ends_with("_x10") => Some(Manner::weight(weight)),
        _ => Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
    }
}
