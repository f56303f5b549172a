//! Finding an animal by any number or name, as the desk lists it: narrowed, ordered, counted.

mod texts;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Value;
use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::{Result, Tx, spelling};
use texts::{CLASSES, COUNTS, HITS, ONE, PAGES, STAGES, Shape, TOTALS};

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
    "disputed",
];

/// Which animals.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Any number or name; a blank text is all.
    pub text: String,
    /// Only those that stand so.
    pub narrow: Option<Narrow>,
    /// Only this species.
    pub species: Option<String>,
    /// Only this exhibitor's.
    pub exhibitor: Option<Uuid>,
    /// Only those in this class.
    pub class: Option<Uuid>,
}

/// A list of animals that stand alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Narrow {
    /// Not checked in yet.
    NotArrived,
    /// Without an official weight.
    NotWeighed,
    /// A clash about it is open.
    BeingChecked,
    /// Its weight is outside of its class's.
    OutOfRange,
    /// Out of all its classes.
    Scratched,
}

impl Narrow {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::NotArrived, Self::NotWeighed, Self::BeingChecked, Self::OutOfRange, Self::Scratched];

    /// The word in questions and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotArrived => "not_arrived",
            Self::NotWeighed => "not_weighed",
            Self::BeingChecked => "being_checked",
            Self::OutOfRange => "out_of_range",
            Self::Scratched => "scratched",
        }
    }
}

/// What a list is ordered by; without one by how well a text matches, then by tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sort {
    /// The exhibitor's number.
    BackNumber,
    /// The ear tag.
    Tag,
    /// The exhibitor's last name.
    Exhibitor,
    /// Breed and sex.
    Animal,
    /// The class's code.
    Class,
    /// The official weight.
    Weight,
    /// How far it is.
    Stage,
}

impl Sort {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::BackNumber, Self::Tag, Self::Exhibitor, Self::Animal, Self::Class, Self::Weight, Self::Stage];

    /// The word in questions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BackNumber => "back_number",
            Self::Tag => "tag",
            Self::Exhibitor => "exhibitor",
            Self::Animal => "animal",
            Self::Class => "class",
            Self::Weight => "weight",
            Self::Stage => "stage",
        }
    }
}

/// How far an animal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Not here yet.
    NotArrived,
    /// Here, without a weight.
    CheckedIn,
    /// It has an official weight.
    Weighed,
    /// Its weight is outside of its class's.
    OutOfRange,
    /// A class of it is in the ring.
    InRing,
    /// All its classes are judged.
    Judged,
    /// Out of all its classes.
    Out,
}

impl Stage {
    /// The word in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotArrived => "not_arrived",
            Self::CheckedIn => "checked_in",
            Self::Weighed => "weighed",
            Self::OutOfRange => "out_of_range",
            Self::InRing => "in_ring",
            Self::Judged => "judged",
            Self::Out => "out",
        }
    }

    fn of(number: i64) -> Self {
        match number {
            1 => Self::CheckedIn,
            2 => Self::Weighed,
            3 => Self::OutOfRange,
            4 => Self::InRing,
            5 => Self::Judged,
            6 => Self::Out,
            _ => Self::NotArrived,
        }
    }
}

/// How many animals there are of a species, and how many of them stand so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeciesCount {
    /// The species.
    pub species: String,
    /// All of it.
    pub all: i64,
    /// In the order of [`Narrow::ALL`].
    pub narrowed: [i64; 5],
}

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
    /// Names of the classes it is entered in, by their codes.
    pub classes: Vec<String>,
    /// The code of the first of them that has one.
    pub class_code: Option<String>,
    /// Whether a clash about it, or about what belongs to it, is open.
    pub disputed: bool,
    /// How far it is.
    pub stage: Stage,
}

/// Live animals that are wanted, from `offset` on.
pub async fn search(
    tx: &mut Tx,
    wanted: &Wanted,
    order: (Option<Sort>, bool),
    offset: i64,
    limit: i64,
) -> Result<Vec<EntryRow>> {
    let mut values = wanted.narrowed_values();
    values.extend(wanted.rank_values());
    values.extend(values![limit, offset]);
    let has_text = !wanted.text.trim().is_empty();
    let sql = PAGES[&Shape { narrow: wanted.narrow, sort: order.0, down: order.1, has_text }];
    let found = tx.rows(sql, values).await?.iter().map(read).collect::<Result<Vec<_>>>()?;
    complete(tx, found).await
}

/// How many animals are wanted in all.
pub async fn total(tx: &mut Tx, wanted: &Wanted) -> Result<i64> {
    let row = tx.row(TOTALS[&wanted.narrow], wanted.narrowed_values()).await?;
    row.map_or(Ok(0), |row| Cells::new(&row, "animals", &["count"]).int())
}

/// How many animals of each species match, whatever species and state are wanted.
pub async fn counts(tx: &mut Tx, wanted: &Wanted) -> Result<Vec<SpeciesCount>> {
    let columns = &["species", "all", "not_arrived", "not_weighed", "being_checked", "out_of_range", "scratched"];
    let mut counts = Vec::new();
    for row in tx.rows(*COUNTS, wanted.matching_values()).await? {
        let mut cells = Cells::new(&row, "animals", columns);
        let (species, all) = (cells.text()?, cells.int()?);
        let narrowed = [cells.int()?, cells.int()?, cells.int()?, cells.int()?, cells.int()?];
        counts.push(SpeciesCount { species, all, narrowed });
    }
    counts.sort_by(|one, other| one.species.cmp(&other.species));
    Ok(counts)
}

/// What the text hit in the wanted animals, each counted once by its best hit: `tag`, `back_number`, ….
pub async fn hits(tx: &mut Tx, wanted: &Wanted) -> Result<HashMap<&'static str, i64>> {
    let mut hits = HashMap::new();
    let mut values = wanted.narrowed_values();
    values.extend(wanted.rank_values());
    for row in tx.rows(HITS[&wanted.narrow], values).await? {
        let mut cells = Cells::new(&row, "animals", &["rank", "count"]);
        let (rank, count) = (cells.int()?, cells.int()?);
        *hits.entry(hit_of(rank)).or_insert(0) += count;
    }
    Ok(hits)
}

/// One live animal, as a list has it.
pub async fn one(tx: &mut Tx, animal: Uuid) -> Result<Option<EntryRow>> {
    let found = tx.rows(*ONE, values![animal]).await?.iter().map(read).collect::<Result<Vec<_>>>()?;
    Ok(complete(tx, found).await?.pop())
}

impl Wanted {
    /// `$1` to `$7`.
    fn matching_values(&self) -> Vec<Value> {
        let mut values = Patterns::of(&self.text).values();
        values.extend(values![self.exhibitor, self.class]);
        values
    }

    /// `$1` to `$8`.
    fn narrowed_values(&self) -> Vec<Value> {
        let mut values = self.matching_values();
        values.push(Value::from(self.species.clone()));
        values
    }

    /// `$9` and `$10`.
    fn rank_values(&self) -> Vec<Value> {
        let patterns = Patterns::of(&self.text);
        values![patterns.exact, patterns.ending]
    }
}

/// What a rank of [`RANK`] is called.
fn hit_of(rank: i64) -> &'static str {
    match rank {
        0 | 2 | 3 => "tag",
        1 | 6 => "back_number",
        4 => "old_tag",
        5 => "official_id",
        7 => "name",
        _ => "class",
    }
}

/// Adds what stands in other tables.
async fn complete(tx: &mut Tx, mut found: Vec<EntryRow>) -> Result<Vec<EntryRow>> {
    let ids: Vec<Uuid> = found.iter().map(|row| row.animal_id).collect();
    let mut classes = classes_of(tx, &ids).await?;
    let stages = stages_of(tx, &ids).await?;
    for row in &mut found {
        let mut classes = classes.remove(&row.animal_id).unwrap_or_default();
        classes.sort();
        row.class_code = classes.iter().find_map(|class| class.code.clone());
        row.classes = classes.into_iter().map(|class| class.name).collect();
        row.stage = stages.get(&row.animal_id).copied().unwrap_or(Stage::NotArrived);
    }
    Ok(found)
}

/// A class by its code: 6 before 10, one without a code last.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ClassName {
    has_no_code: bool,
    code_length: usize,
    code: Option<String>,
    name: String,
}

/// A text as LIKE patterns; see [`crate::spelling`].
struct Patterns {
    spellings: [Option<String>; 3],
    in_json: Option<String>,
    beginning: Option<String>,
    exact: Option<String>,
    ending: Option<String>,
}

impl Patterns {
    fn of(text: &str) -> Self {
        let Some(text) = spelling::lowered(text) else {
            return Self { spellings: [const { None }; 3], in_json: None, beginning: None, exact: None, ending: None };
        };
        let escaped = spelling::escaped(&text);
        let is_code = text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
        Self {
            spellings: spelling::spellings(&text),
            in_json: is_code.then(|| format!("%{escaped}%")),
            beginning: Some(format!("{escaped}%")),
            ending: Some(format!("%{escaped}")),
            exact: Some(text),
        }
    }

    fn values(&self) -> Vec<Value> {
        let [small, words, capitals] = self.spellings.clone();
        values![small, words, capitals, self.in_json.clone(), self.beginning.clone()]
    }
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
        class_code: None,
        disputed: cells.int()? == 1,
        stage: Stage::NotArrived,
    })
}

async fn classes_of(tx: &mut Tx, animals: &[Uuid]) -> Result<HashMap<Uuid, Vec<ClassName>>> {
    let mut classes: HashMap<Uuid, Vec<ClassName>> = HashMap::new();
    for (sql, chunk) in CLASSES.cut(animals) {
        for row in tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await? {
            let mut cells = Cells::new(&row, "entries", &["animal_id", "code", "name"]);
            let (animal, code, name) = (cells.uuid()?, cells.text_option()?, cells.text()?);
            let code_length = code.as_ref().map_or(0, String::len);
            classes.entry(animal).or_default().push(ClassName { has_no_code: code.is_none(), code_length, code, name });
        }
    }
    Ok(classes)
}

async fn stages_of(tx: &mut Tx, animals: &[Uuid]) -> Result<HashMap<Uuid, Stage>> {
    let mut stages = HashMap::new();
    for (sql, chunk) in STAGES.cut(animals) {
        // The ids stand twice in the text, under the same placeholders.
        for row in tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await? {
            let mut cells = Cells::new(&row, "animals", &["id", "stage"]);
            stages.insert(cells.uuid()?, Stage::of(cells.int()?));
        }
    }
    Ok(stages)
}
