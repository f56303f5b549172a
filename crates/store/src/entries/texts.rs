//! The SQL texts of the list of entries. Each is made once: a list has few states and few orders.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Narrow, Sort};
use crate::spelling::{SPELLINGS, like, like_spelled};
use crate::sql::{self, Chunked, LazyChunked};

/// Placeholders after those of a name's spellings: the text in JSON and at a number's beginning.
const IN_JSON: &str = "$4";
const BEGINNING: &str = "$5";
const EXHIBITOR: &str = "$6";
const CLASS: &str = "$7";
const SPECIES: &str = "$8";
const EXACT: &str = "$9";
const ENDING: &str = "$10";

/// Records that an open clash is about, and then the animals that those belong to.
const CHECKED: &str = "disputed AS (SELECT record_id AS id FROM sync_conflicts WHERE status = 'open' \
    UNION SELECT other_record_id FROM sync_conflicts WHERE status = 'open' AND other_record_id IS NOT NULL \
    UNION SELECT r.record_id FROM sync_conflict_records r JOIN sync_conflicts t ON t.id = r.conflict_id \
    WHERE t.status = 'open'), \
    checked AS (SELECT id FROM disputed UNION SELECT e.animal_id FROM disputed d JOIN entries e ON e.id = d.id \
    WHERE e.animal_id IS NOT NULL UNION SELECT w.animal_id FROM disputed d JOIN weigh_ins w ON w.id = d.id \
    UNION SELECT e.animal_id FROM disputed d JOIN placings p ON p.id = d.id JOIN entries e ON e.id = p.entry_id \
    WHERE e.animal_id IS NOT NULL)";

/// How far an animal is, lowest first; its numbers are [`Stage`]'s.
const STAGE: &str = "CASE WHEN s.all_out = 1 THEN 6 WHEN s.in_ring = 1 THEN 4 WHEN s.all_judged = 1 THEN 5 \
    WHEN a.official_weight_x10 < s.min_x10 OR a.official_weight_x10 > s.max_x10 THEN 3 \
    WHEN a.official_weight_x10 IS NOT NULL THEN 2 WHEN a.arrived_at IS NOT NULL THEN 1 ELSE 0 END";

static MATCHING: LazyLock<String> = LazyLock::new(|| {
    let [tag, official_id] = ["a.tag", "a.official_id"].map(|column| like(column, SPELLINGS[0]));
    let prev_tags = like("CAST(a.prev_tags AS TEXT)", IN_JSON);
    let back_number = like("CAST(x.back_number AS TEXT)", BEGINNING);
    let [name, exhibitor] = ["a.name", "x.first_name || ' ' || x.last_name"].map(like_spelled);
    format!(
        "a.deleted_at IS NULL AND ($1 IS NULL \
         OR {tag} OR {official_id} OR {prev_tags} OR {back_number} OR {name} OR {exhibitor} \
         OR a.id IN (SELECT e.animal_id FROM entries e WHERE e.deleted_at IS NULL AND e.animal_id IS NOT NULL \
         AND (e.class_id IN (SELECT id FROM named) OR e.family_id IN (SELECT id FROM named)))) \
         AND ({EXHIBITOR} IS NULL OR a.exhibitor_id = {EXHIBITOR}) \
         AND ({CLASS} IS NULL OR a.id IN (SELECT e.animal_id FROM entries e WHERE e.deleted_at IS NULL \
         AND e.animal_id IS NOT NULL AND (e.class_id = {CLASS} OR e.family_id = {CLASS})))"
    )
});
/// Classes whose name matches, what is disputed, and how every animal stands in its classes.
static BEFORE: LazyLock<String> = LazyLock::new(|| {
    format!("WITH named AS (SELECT id FROM classes WHERE deleted_at IS NULL AND ({})), {CHECKED}", like_spelled("name"))
});
/// How well an animal matches, best first; its numbers are [`hit_of`]'s.
static RANK: LazyLock<String> = LazyLock::new(|| {
    let [contains, ends] = [SPELLINGS[0], ENDING].map(|pattern| like("a.tag", pattern));
    let prev_tags = like("CAST(a.prev_tags AS TEXT)", IN_JSON);
    let official_id = like("a.official_id", SPELLINGS[0]);
    let back_number = like("CAST(x.back_number AS TEXT)", BEGINNING);
    let [name, exhibitor] = ["a.name", "x.first_name || ' ' || x.last_name"].map(like_spelled);
    format!(
        "CAST(CASE WHEN lower(a.tag) = {EXACT} THEN 0 WHEN CAST(x.back_number AS TEXT) = {EXACT} THEN 1 \
         WHEN {ends} THEN 2 WHEN {contains} THEN 3 WHEN {prev_tags} THEN 4 WHEN {official_id} THEN 5 \
         WHEN {back_number} THEN 6 WHEN {name} OR {exhibitor} THEN 7 ELSE 8 END AS BIGINT)"
    )
});
pub(super) static PAGES: LazyLock<HashMap<Shape, &str>> = LazyLock::new(|| {
    let mut pages = HashMap::new();
    for narrow in [None].into_iter().chain(Narrow::ALL.map(Some)) {
        for sort in [None].into_iter().chain(Sort::ALL.map(Some)) {
            for down in [false, true] {
                for has_text in [false, true] {
                    let shape = Shape { narrow, sort, down, has_text };
                    pages.insert(shape, sql::keep(page(shape)));
                }
            }
        }
    }
    pages
});
pub(super) static COUNTS: LazyLock<&str> = LazyLock::new(|| {
    let sums =
        Narrow::ALL.map(|narrow| format!("CAST(SUM(CASE WHEN {} THEN 1 ELSE 0 END) AS BIGINT)", narrow.condition()));
    sql::keep(format!(
        "{}, {} SELECT a.species, COUNT(*), {} FROM animals a JOIN exhibitors x ON x.id = a.exhibitor_id \
         LEFT JOIN standing s ON s.animal_id = a.id WHERE {} GROUP BY a.species",
        *BEFORE,
        standing("entries e", "TRUE"),
        sums.join(", "),
        *MATCHING
    ))
});
pub(super) static HITS: LazyLock<HashMap<Option<Narrow>, &str>> = LazyLock::new(|| {
    let narrows = [None].into_iter().chain(Narrow::ALL.map(Some));
    let text = |narrow: Option<Narrow>| {
        format!(
            "{} SELECT {}, COUNT(*) {} GROUP BY 1",
            before(narrow.is_some()),
            *RANK,
            narrowed(narrow, narrow.is_some())
        )
    };
    narrows.map(|narrow| (narrow, sql::keep(text(narrow)))).collect()
});
pub(super) static TOTALS: LazyLock<HashMap<Option<Narrow>, &str>> = LazyLock::new(|| {
    let narrows = [None].into_iter().chain(Narrow::ALL.map(Some));
    let text = |narrow: Option<Narrow>| {
        format!("{} SELECT COUNT(*) {}", before(narrow.is_some()), narrowed(narrow, narrow.is_some()))
    };
    narrows.map(|narrow| (narrow, sql::keep(text(narrow)))).collect()
});
pub(super) static CLASSES: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        format!(
            "SELECT e.animal_id, c.code, c.name FROM (VALUES {}) AS wanted CROSS JOIN entries e \
             JOIN classes c ON c.id = COALESCE(e.class_id, e.family_id) \
             WHERE e.animal_id = wanted.column1 AND e.deleted_at IS NULL",
            sql::rows(count, 1)
        )
    })
});
pub(super) static STAGES: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        let wanted = format!("(VALUES {}) AS wanted", sql::rows(count, 1));
        format!(
            "WITH {} SELECT a.id, CAST({STAGE} AS BIGINT) FROM {wanted} CROSS JOIN animals a \
             LEFT JOIN standing s ON s.animal_id = a.id WHERE a.id = wanted.column1",
            standing(&format!("{wanted} CROSS JOIN entries e"), "e.animal_id = wanted.column1")
        )
    })
});

pub(super) static ONE: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!("WITH {CHECKED} SELECT {SELECTED} FROM {JOINED} WHERE a.id = $1 AND a.deleted_at IS NULL"))
});

const SELECTED: &str = "a.id, a.version, a.tag, a.official_id, a.prev_tags, a.species, a.sex, a.breed, a.pen, \
    a.official_weight_x10, a.adg_x1000, a.arrived_at, x.id, x.back_number, x.first_name, x.last_name, x.club_chapter, \
    CAST(CASE WHEN a.id IN (SELECT id FROM checked) THEN 1 ELSE 0 END AS BIGINT)";
const JOINED: &str = "animals a JOIN exhibitors x ON x.id = a.exhibitor_id";

fn before(with_standing: bool) -> String {
    if with_standing { format!("{}, {}", *BEFORE, standing("entries e", "TRUE")) } else { BEFORE.clone() }
}

/// How animals stand in their classes. A code's key is as long as the longest code, so that 6 comes before 10.
fn standing(from: &str, condition: &str) -> String {
    format!(
        "standing AS (SELECT e.animal_id, \
         MIN(substr('00000000000000000000', LENGTH(c.code) + 1) || c.code) AS code_key, \
         MIN(CASE WHEN e.out_reason IS NULL THEN 0 ELSE 1 END) AS all_out, \
         MAX(CASE WHEN e.out_reason IS NULL THEN c.min_x10 END) AS min_x10, \
         MIN(CASE WHEN e.out_reason IS NULL THEN c.max_x10 END) AS max_x10, \
         MAX(CASE WHEN e.out_reason IS NULL AND c.status = 'in_ring' THEN 1 ELSE 0 END) AS in_ring, \
         MIN(CASE WHEN e.out_reason IS NULL AND c.status NOT IN ('judged', 'official') THEN 0 ELSE 1 END) AS all_judged \
         FROM {from} JOIN classes c ON c.id = COALESCE(e.class_id, e.family_id) \
         WHERE {condition} AND e.deleted_at IS NULL AND e.animal_id IS NOT NULL GROUP BY e.animal_id)"
    )
}

/// From the animals that match to the condition, with the species.
fn narrowed(narrow: Option<Narrow>, with_standing: bool) -> String {
    let joined = if with_standing { "LEFT JOIN standing s ON s.animal_id = a.id " } else { "" };
    let condition = narrow.map_or("TRUE", Narrow::condition);
    format!(
        "FROM {JOINED} {joined}WHERE {} AND ({SPECIES} IS NULL OR a.species = {SPECIES}) AND {condition}",
        *MATCHING
    )
}

fn page(Shape { narrow, sort, down, has_text }: Shape) -> String {
    let needs_standing = narrow.is_some() || sort.is_some_and(Sort::needs_standing);
    let from = narrowed(narrow, needs_standing);
    let direction = if down { " DESC" } else { "" };
    let order = sort.map_or_else(
        || if has_text { "19".to_owned() } else { "a.tag IS NULL".to_owned() },
        |sort| {
            let (keys, missing) = sort.keys();
            let missing = missing.map(|column| format!("{column} IS NULL"));
            let keys = keys.iter().map(|key| format!("{key}{direction}"));
            missing.into_iter().chain(keys).collect::<Vec<_>>().join(", ")
        },
    );
    format!(
        "{} SELECT {SELECTED}, {} {from} ORDER BY {order}, a.tag IS NULL, a.tag, a.id LIMIT $11 OFFSET $12",
        before(needs_standing),
        // Without a text nothing is ranked: 21,000 animals are compared with it otherwise.
        if has_text { RANK.as_str() } else { "CAST(8 AS BIGINT)" }
    )
}

/// What a page's text depends on.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    pub(super) narrow: Option<Narrow>,
    pub(super) sort: Option<Sort>,
    pub(super) down: bool,
    pub(super) has_text: bool,
}

impl Narrow {
    fn condition(self) -> &'static str {
        match self {
            Self::NotArrived => "a.arrived_at IS NULL",
            Self::NotWeighed => "a.official_weight_x10 IS NULL",
            Self::BeingChecked => "a.id IN (SELECT id FROM checked)",
            Self::OutOfRange => "(a.official_weight_x10 < s.min_x10 OR a.official_weight_x10 > s.max_x10)",
            Self::Scratched => "s.all_out = 1",
        }
    }
}

impl Sort {
    /// What is compared, and the columns of which a missing one comes last both ways.
    fn keys(self) -> (&'static [&'static str], Option<&'static str>) {
        match self {
            Self::BackNumber => (&["x.back_number"], Some("x.back_number")),
            Self::Tag => (&["a.tag"], Some("a.tag")),
            Self::Exhibitor => (&["lower(x.last_name)", "lower(x.first_name)"], None),
            Self::Animal => (&["lower(a.breed)", "lower(a.sex)"], Some("a.breed")),
            Self::Class => (&["s.code_key"], Some("s.code_key")),
            Self::Weight => (&["a.official_weight_x10"], Some("a.official_weight_x10")),
            Self::Stage => (&[STAGE], None),
        }
    }

    fn needs_standing(self) -> bool {
        matches!(self, Self::Class | Self::Stage)
    }
}
