//! Finding an animal by any number or name, as the desk lists it.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use showdesk_domain::ids::RecordId;
use uuid::Uuid;

use crate::conflicts;
use crate::db::Value;
use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const COLUMNS: &[&str] = &[
    "id",
    "version",
    "tag",
    "official_id",
    "prev_tags",
    "species",
    "sex",
    "breed",
    "pen",
    "official_weight_x10",
    "adg_x1000",
    "arrived_at",
    "exhibitor_id",
    "back_number",
    "first_name",
    "last_name",
    "club_chapter",
];
/// What comes after is not looked at.
const TEXT_CHARS: usize = 200;
/// Placeholders of a name's spellings (see [`Patterns`]), and then of the text in JSON and at a number's beginning.
const SPELLINGS: [&str; 3] = ["$1", "$2", "$3"];
const IN_JSON: &str = "$4";
const BEGINNING: &str = "$5";

static MATCHING: LazyLock<String> = LazyLock::new(|| {
    let [tag, official_id] = ["a.tag", "a.official_id"].map(|column| like(column, SPELLINGS[0]));
    let prev_tags = like("CAST(a.prev_tags AS TEXT)", IN_JSON);
    let back_number = like("CAST(x.back_number AS TEXT)", BEGINNING);
    let [name, exhibitor] = ["a.name", "x.first_name || ' ' || x.last_name"].map(like_spelled);
    format!(
        "FROM animals a JOIN exhibitors x ON x.id = a.exhibitor_id WHERE a.deleted_at IS NULL AND ($1 IS NULL \
         OR {tag} OR {official_id} OR {prev_tags} OR {back_number} OR {name} OR {exhibitor} \
         OR a.id IN (SELECT e.animal_id FROM entries e WHERE e.deleted_at IS NULL AND e.animal_id IS NOT NULL \
         AND (e.class_id IN (SELECT id FROM named) OR e.family_id IN (SELECT id FROM named))))"
    )
});
/// Classes whose name matches.
static NAMED: LazyLock<String> = LazyLock::new(|| {
    format!("WITH named AS (SELECT id FROM classes WHERE deleted_at IS NULL AND ({}))", like_spelled("name"))
});
static PAGE: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!(
        "{} SELECT a.id, a.version, a.tag, a.official_id, a.prev_tags, a.species, a.sex, a.breed, a.pen, \
         a.official_weight_x10, a.adg_x1000, a.arrived_at, x.id, x.back_number, x.first_name, x.last_name, x.club_chapter \
         {} ORDER BY a.tag IS NULL, a.tag, a.id LIMIT $6 OFFSET $7",
        *NAMED, *MATCHING
    ))
});
static TOTAL: LazyLock<&str> = LazyLock::new(|| sql::keep(format!("{} SELECT COUNT(*) {}", *NAMED, *MATCHING)));
static CLASSES: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        format!(
            "SELECT e.animal_id, c.name FROM (VALUES {}) AS wanted CROSS JOIN entries e \
             JOIN classes c ON c.id = COALESCE(e.class_id, e.family_id) \
             WHERE e.animal_id = wanted.column1 AND e.deleted_at IS NULL",
            sql::rows(count, 1)
        )
    })
});

/// An animal with its exhibitor and classes.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    pub arrived_at: Option<DateTime<Utc>>,
    /// The exhibitor.
    pub exhibitor_id: Uuid,
    /// The exhibitor's number.
    pub back_number: Option<i64>,
    /// First and last name.
    pub exhibitor: String,
    /// The exhibitor's club or chapter.
    pub club_chapter: Option<String>,
    /// Names of the classes it is entered in, by name.
    pub classes: Vec<String>,
    /// Whether a clash about it is open.
    pub disputed: bool,
}

/// Live animals that match the text, by tag, and how many match in all. A blank text matches all.
pub async fn search(tx: &mut Tx, text: &str, offset: i64, limit: i64) -> Result<(Vec<EntryRow>, i64)> {
    let patterns = Patterns::of(text);
    let total = tx.row(*TOTAL, patterns.values()).await?;
    let total = total.map_or(Ok(0), |row| Cells::new(&row, "animals", &["count"]).int())?;
    let mut values = patterns.values();
    values.extend(values![limit, offset]);
    let mut found: Vec<EntryRow> = tx.rows(*PAGE, values).await?.iter().map(read).collect::<Result<_>>()?;
    let ids: Vec<Uuid> = found.iter().map(|row| row.animal_id).collect();
    let mut classes = classes_of(tx, &ids).await?;
    let disputed = disputed_among(tx, &ids).await?;
    for row in &mut found {
        row.classes = classes.remove(&row.animal_id).unwrap_or_default();
        row.classes.sort();
        row.disputed = disputed.contains(&row.animal_id);
    }
    Ok((found, total))
}

fn like(text: &str, placeholder: &str) -> String {
    format!(r"lower({text}) LIKE {placeholder} ESCAPE '\'")
}

fn like_spelled(text: &str) -> String {
    SPELLINGS.map(|placeholder| like(text, placeholder)).join(" OR ")
}

/// A text as LIKE patterns.
///
/// SQLite's `lower` knows ASCII letters only, so a name's other letters stay as they were written there:
/// small, capital at the beginning of a word, or all capital.
struct Patterns {
    spellings: [Option<String>; 3],
    in_json: Option<String>,
    beginning: Option<String>,
}

impl Patterns {
    fn of(text: &str) -> Self {
        let text: String =
            text.trim().to_lowercase().chars().filter(|letter| *letter != '\0').take(TEXT_CHARS).collect();
        if text.is_empty() {
            return Self { spellings: [const { None }; 3], in_json: None, beginning: None };
        }
        let escaped = text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
        let is_code = text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
        let spellings = [escaped.clone(), with_capitals(&escaped, true), with_capitals(&escaped, false)];
        Self {
            spellings: spellings.map(|text| Some(format!("%{text}%"))),
            in_json: is_code.then(|| format!("%{escaped}%")),
            beginning: Some(format!("{escaped}%")),
        }
    }

    fn values(&self) -> Vec<Value> {
        let [small, words, capitals] = self.spellings.clone();
        values![small, words, capitals, self.in_json.clone(), self.beginning.clone()]
    }
}

/// Makes the letters capital that `lower` leaves alone: all of them, or only those that begin a word.
fn with_capitals(text: &str, only_first: bool) -> String {
    let mut capital = String::with_capacity(text.len());
    let mut begins_word = true;
    for letter in text.chars() {
        if letter.is_ascii() || (only_first && !begins_word) {
            capital.push(letter);
        } else {
            capital.extend(letter.to_uppercase());
        }
        begins_word = !letter.is_alphanumeric();
    }
    capital
}

fn read(row: &Row) -> Result<EntryRow> {
    let mut cells = Cells::new(row, "animals", COLUMNS);
    Ok(EntryRow {
        animal_id: cells.uuid()?,
        version: cells.int()?,
        tag: cells.text_option()?,
        official_id: cells.text_option()?,
        prev_tags: cells.parsed_option()?.unwrap_or_default(),
        species: cells.text()?,
        sex: cells.text_option()?,
        breed: cells.text_option()?,
        pen: cells.text_option()?,
        official_weight_x10: cells.int_option()?,
        adg_x1000: cells.int_option()?,
        arrived_at: cells.instant_option()?,
        exhibitor_id: cells.uuid()?,
        back_number: cells.int_option()?,
        exhibitor: format!("{} {}", cells.text()?, cells.text()?),
        club_chapter: cells.text_option()?,
        classes: Vec::new(),
        disputed: false,
    })
}

async fn classes_of(tx: &mut Tx, animals: &[Uuid]) -> Result<HashMap<Uuid, Vec<String>>> {
    let mut classes: HashMap<Uuid, Vec<String>> = HashMap::new();
    for (sql, chunk) in CLASSES.cut(animals) {
        for row in tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await? {
            let mut cells = Cells::new(&row, "entries", &["animal_id", "name"]);
            classes.entry(cells.uuid()?).or_default().push(cells.text()?);
        }
    }
    Ok(classes)
}

async fn disputed_among(tx: &mut Tx, animals: &[Uuid]) -> Result<HashSet<Uuid>> {
    let ids: Vec<RecordId> = animals.iter().copied().map(RecordId).collect();
    let open = conflicts::open_on(tx, &ids).await?;
    let records = open.iter().flat_map(|conflict| std::iter::once(conflict.record_id).chain(conflict.other_record_id));
    Ok(records.map(|id| id.0).collect())
}
