//! The list of entries, and everything about one animal.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;
use uuid::Uuid;

/// Entries that match a search.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EntryPage {
    /// At most `limit` rows, by number.
    pub items: Vec<EntryRow>,
    /// How many there are in all.
    pub total: i64,
    /// How many stand in each list, whatever list was asked for: `all`, `not_arrived`, `not_weighed`,
    /// `being_checked`, `out_of_range`, `scratched`. Left out if not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<BTreeMap<String, i64>>,
    /// How many there are of each species, whatever species and list were asked for; likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub species: Option<BTreeMap<String, i64>>,
    /// What the text hit, each animal counted once by its best hit: tag, `old_tag`, `official_id`, `back_number`,
    /// name, class; likewise, and only where there is a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hits: Option<BTreeMap<String, i64>>,
}

/// An animal with its exhibitor and classes, as the desk lists it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EntryRow {
    /// The animal.
    pub animal_id: Uuid,
    /// Its record version.
    pub version: i64,
    /// Ear tag.
    pub tag: Option<String>,
    /// Official identity.
    pub official_id: Option<String>,
    /// Earlier tags.
    pub prev_tags: Vec<String>,
    /// Its species.
    pub species: String,
    /// Its sex.
    pub sex: Option<String>,
    /// Its breed.
    pub breed: Option<String>,
    /// Its pen.
    pub pen: Option<String>,
    /// Its official weight, in tenths of the show's unit.
    pub official_weight_x10: Option<i64>,
    /// Its rate of gain, thousandths of the unit a day.
    pub adg_x1000: Option<i64>,
    /// When it was checked in.
    #[serde(with = "crate::api::sync::instant_option")]
    pub arrived_at: Option<DateTime<Utc>>,
    /// The exhibitor.
    pub exhibitor_id: Uuid,
    /// The exhibitor's number.
    pub back_number: Option<i64>,
    /// First and last name.
    pub exhibitor: String,
    /// The exhibitor's club or chapter.
    pub club_chapter: Option<String>,
    /// Names of the classes it is entered in, by their codes.
    pub classes: Vec<String>,
    /// The code of the first of them that has one.
    pub class_code: Option<String>,
    /// Whether a clash about it, or about what belongs to it, is open.
    pub disputed: bool,
    /// How far it is: `not_arrived`, `checked_in`, weighed, `out_of_range`, `in_ring`, judged, out.
    pub stage: String,
}

/// Everything about one animal at this show.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EntryRecord {
    /// The animal, as the list has it.
    pub animal: EntryRow,
    /// Its entries, by their classes' codes.
    pub entries: Vec<EntryInClass>,
    /// Its weighings, newest first.
    pub weigh_ins: Vec<Weighing>,
    /// Open clashes about it and what belongs to it, oldest first.
    pub clashes: Vec<OpenClash>,
}

/// An entry in a class.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EntryInClass {
    /// The entry.
    pub id: Uuid,
    /// Its record version.
    pub version: i64,
    /// entered, `checked_in`, ready, shown.
    pub status: String,
    /// Why it is out.
    pub out_reason: Option<String>,
    /// The class it is in now.
    pub class: EntryClass,
    /// Its placing there.
    pub placing: Option<EntryPlacing>,
}

/// A class that an animal is entered in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EntryClass {
    /// The class.
    pub id: Uuid,
    /// Its code.
    pub code: Option<String>,
    /// Its name.
    pub name: String,
    /// Its ring's name.
    pub ring: Option<String>,
    /// When it is planned.
    #[serde(with = "crate::api::sync::instant_option")]
    pub planned_at: Option<DateTime<Utc>>,
    /// Its lightest weight, in tenths of the show's unit.
    pub min_x10: Option<i64>,
    /// Its heaviest weight, likewise.
    pub max_x10: Option<i64>,
}

/// How an animal was placed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EntryPlacing {
    /// The placing.
    pub id: Uuid,
    /// Its place, from 1.
    pub place: Option<i64>,
    /// Its ribbon.
    pub ribbon: Option<String>,
    /// Its award.
    pub award: Option<String>,
    /// NP, DQ, U in place of a place.
    pub code: Option<String>,
}

/// One weighing.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Weighing {
    /// The weigh-in.
    pub id: Uuid,
    /// Its record version.
    pub version: i64,
    /// initial, arrival, reweigh, `weigh_back`, declared.
    pub kind: String,
    /// Tenths of the show's unit.
    pub weight_x10: i64,
    /// When it was weighed, by the device's clock.
    #[serde(with = "crate::api::sync::instant_option")]
    pub weighed_at: Option<DateTime<Utc>>,
    /// Who weighed it.
    pub by: Option<String>,
    /// On which device.
    pub device: Option<String>,
    /// Whether that is a phone.
    pub from_phone: bool,
    /// Whether it is the weight that counts.
    pub official: bool,
    /// The one that took its place.
    pub replaced_by: Option<Uuid>,
    /// When it was taken back.
    #[serde(with = "crate::api::sync::instant_option")]
    pub voided_at: Option<DateTime<Utc>>,
    /// Why it was taken back.
    pub voided_reason: Option<String>,
}

/// An open clash.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OpenClash {
    /// The clash.
    pub id: Uuid,
    /// The table of its record.
    pub table_name: String,
    /// The disputed fields, by path.
    pub contested: Vec<String>,
    /// The phone's row as far as known.
    pub client_data: Option<Json>,
    /// The laptop's row.
    pub server_data: Option<Json>,
}
