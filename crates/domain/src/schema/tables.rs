//! The ten synced tables of DOMAIN.md §3.

use std::collections::HashMap;

use super::{Access, Column, Field, NaturalKey, Policy, Table, Unique};
use crate::value::{Kind, Target, TextForm, Value};

/// Longest name; free text may be longer.
const NAME_CHARS: usize = 200;
/// Longest free text (SECURITY.md §5).
const TEXT_CHARS: usize = 10_000;
/// Heaviest weight, in tenths of the show's unit: 9,999.9.
const WEIGHT_X10_MAX: i64 = 99_999;

const UNITS: &[&str] = &["lb", "kg"];
const SPECIES: &[&str] = &["cattle", "swine", "sheep", "goat", "poultry", "rabbit"];
const STAGES: &[&str] = &["A", "B", "C", "D", "E"];
const OUT_REASONS: &[&str] = &["no_show", "scratch", "missed_class", "sift", "vet", "disqualified"];
const ENTRY_STATUS: &[&str] = &["entered", "checked_in", "ready", "shown"];
const CLASS_STATUS: &[&str] =
    &["scheduled", "make_ready", "in_ring", "judged", "official", "hold", "cancelled", "combined_into"];

static ID_OF_CLASS: Kind = Kind::Id(Target::Table("classes"));
static ID_OF_RING: Kind = Kind::Id(Target::Table("rings"));
static ID_OF_EXHIBITOR: Kind = Kind::Id(Target::Table("exhibitors"));
static SMALL_INT: Kind = Kind::Int { min: 1, max: 999 };
static WORD: Kind = Kind::Text { max_chars: 40, form: TextForm::Plain };
static CODE: Kind = Kind::Text { max_chars: 20, form: TextForm::Code };

pub(super) fn all() -> Vec<Table> {
    vec![
        shows(),
        rings(),
        exhibitors(),
        classes(),
        animals(),
        entries(),
        weigh_ins(),
        placings(),
        class_calls(),
        announcements(),
    ]
}

fn shows() -> Table {
    build("shows")
        .field(name("name").required())
        .field(name("venue"))
        .field(field("starts_on", Kind::Date))
        .field(field("ends_on", Kind::Date))
        .field(field("timezone", Kind::Text { max_chars: NAME_CHARS, form: TextForm::Zone }).required())
        .field(choice("weight_unit", UNITS).inbox().required().default_text("lb"))
        .field(choice("stage", STAGES).policy(Policy::Stage(STAGES)).required().default_text("A"))
        .object(
            "rules",
            vec![
                choice("reweigh_policy", &["second_official", "weigh_once", "declared"]),
                int("weigh_tolerance_x10", 0, WEIGHT_X10_MAX),
                flag("declared_weights"),
                int("weigh_back_tol_x10", 0, WEIGHT_X10_MAX),
                int("class_cap", 1, 500),
                int("min_breed_head", 1, 500),
                choice("missed_class", &["disqualified", "next_class", "superintendent"]),
                flag("ties_allowed"),
                int("places_per_class", 1, 500),
                choice("results_visibility", &["posted", "official"]),
            ],
        )
        .finish()
}

fn rings() -> Table {
    build("rings")
        .field(name("name").required())
        .field(int("seq", 0, 9_999))
        .field(choice("status", &["open", "closed", "break", "hold"]).required().default_text("open"))
        .field(field("now_class_id", Kind::Id(Target::Table("classes"))).policy(Policy::Derived))
        .finish()
}

fn exhibitors() -> Table {
    build("exhibitors")
        .field(int("back_number", 1, 999_999).inbox())
        .field(name("first_name").required())
        .field(name("last_name").required())
        .field(name("club_chapter"))
        .field(name("county").access(Access::Office))
        .field(choice("program", &["4h", "ffa", "open"]).access(Access::Staff))
        .field(name("age_division").role().access(Access::Staff))
        .field(name("guardian_phone").access(Access::Office))
        .field(field("advisor_id", Kind::Id(Target::Person)).access(Access::Office))
        .field(
            field("merged_into", Kind::Id(Target::Table("exhibitors"))).policy(Policy::StageMark).access(Access::Staff),
        )
        .unique("exhibitors_back_number", &["back_number"])
        .finish()
}

fn classes() -> Table {
    build("classes")
        .field(choice("department", SPECIES).role())
        .field(name("division").role())
        .field(field("code", CODE.clone()).inbox())
        .field(name("name").role().required())
        .field(field("family_id", Kind::Id(Target::Table("classes"))).role())
        .field(
            choice("kind", &["market", "breeding", "showmanship", "group", "championship"])
                .role()
                .required()
                .default_text("market"),
        )
        .object(
            "feeder",
            vec![
                field("class_ids", Kind::List(&ID_OF_CLASS)).role(),
                field("positions", Kind::List(&SMALL_INT)).role(),
            ],
        )
        .field(int("min_x10", 0, WEIGHT_X10_MAX).role())
        .field(int("max_x10", 0, WEIGHT_X10_MAX).role())
        .field(field("born_from", Kind::Date).role())
        .field(field("born_to", Kind::Date).role())
        .field(field("ring_id", ID_OF_RING.clone()).policy(Policy::RoleLatest))
        .field(int("seq", 0, 9_999).policy(Policy::RoleLatest))
        .field(field("planned_at", Kind::Instant).policy(Policy::RoleLatest))
        .field(name("judge_name"))
        .field(choice("side_state", &["hold", "cancelled", "combined_into"]).role())
        .field(field("official_at", Kind::Instant).policy(Policy::StageMark))
        .field(field("official_by", Kind::Id(Target::Person)).policy(Policy::StageMark).access(Access::Staff))
        .field(choice("status", CLASS_STATUS).policy(Policy::Derived).required().default_text("scheduled"))
        .field(
            choice("card_state", &["none", "posted", "verified", "query", "conflict"])
                .policy(Policy::Derived)
                .required()
                .default_text("none"),
        )
        .group(&["official_at", "official_by"])
        .unique("classes_code", &["code"])
        .finish()
}

fn animals() -> Table {
    build("animals")
        .field(field("exhibitor_id", ID_OF_EXHIBITOR.clone()).inbox().required())
        .field(choice("species", SPECIES).role().required())
        .field(word("sex").role())
        .field(name("breed").role())
        .field(name("name"))
        .field(field("born_on", Kind::Date).access(Access::Staff))
        .field(code("tag").inbox().access(Access::Staff))
        .field(code("official_id").inbox().access(Access::Staff))
        .field(word("ear_notch").role().access(Access::Staff))
        .field(word("tattoo").role().access(Access::Staff))
        .field(word("reg_number").role().access(Access::Staff))
        .field(field("prev_tags", Kind::List(&CODE)).policy(Policy::Derived).access(Access::Staff))
        .field(int("init_weight_x10", 1, WEIGHT_X10_MAX).role().access(Access::Staff))
        .field(field("init_weighed_on", Kind::Date).role().access(Access::Staff))
        .field(field("arrived_at", Kind::Instant).policy(Policy::FirstWriter).access(Access::Staff))
        .field(field("arrived_by", Kind::Id(Target::Person)).policy(Policy::FirstWriter).access(Access::Staff))
        .field(
            choice("id_check", &["unchecked", "match", "mismatch", "dna_pending"])
                .role()
                .required()
                .default_text("unchecked")
                .access(Access::Staff),
        )
        .field(
            choice("health_check", &["unchecked", "ok", "hold", "rejected"])
                .role()
                .required()
                .default_text("unchecked")
                .access(Access::Staff),
        )
        .field(word("pen").access(Access::Staff))
        .field(int("official_weight_x10", 1, WEIGHT_X10_MAX).policy(Policy::Derived).access(Access::Staff))
        .field(int("adg_x1000", -99_999_999, 99_999_999).policy(Policy::Derived).access(Access::Staff))
        .field(field("released_at", Kind::Instant).policy(Policy::FirstWriter).access(Access::Staff))
        .field(field("note", Kind::Text { max_chars: TEXT_CHARS, form: TextForm::Plain }).access(Access::Staff))
        .group(&["arrived_at", "arrived_by"])
        .group(&["init_weight_x10", "init_weighed_on"])
        .unique("animals_tag", &["species", "tag"])
        .unique("animals_official_id", &["official_id"])
        .finish()
}

fn entries() -> Table {
    build("entries")
        .field(field("exhibitor_id", ID_OF_EXHIBITOR.clone()).policy(Policy::Fixed).required())
        .field(field("animal_id", Kind::Id(Target::Table("animals"))).policy(Policy::Fixed))
        .field(field("family_id", ID_OF_CLASS.clone()).policy(Policy::Fixed).required())
        .field(field("class_id", ID_OF_CLASS.clone()).role())
        .field(choice("status", ENTRY_STATUS).policy(Policy::Stage(ENTRY_STATUS)).required().default_text("entered"))
        .field(choice("out_reason", OUT_REASONS).policy(Policy::Stage(OUT_REASONS)))
        .field(int("catalogue_no", 1, 999_999).inbox())
        .field(flag("is_addon").required().default(Value::Bool(false)))
        .unique("entries_catalogue_no", &["catalogue_no"])
        .natural_key("family_id", "animal_id", Some("exhibitor_id"))
        .finish()
}

fn weigh_ins() -> Table {
    build("weigh_ins")
        .field(field("animal_id", Kind::Id(Target::Table("animals"))).required())
        .field(choice("kind", &["initial", "arrival", "reweigh", "weigh_back", "declared"]).required())
        .field(int("weight_x10", 1, WEIGHT_X10_MAX).required())
        .field(choice("unit", UNITS))
        .field(name("scale"))
        .field(field("weighed_at", Kind::Instant))
        .field(code("tag_read"))
        .field(choice("source", &["manual", "scale", "csv"]).required().default_text("manual"))
        .field(field("replaces_id", Kind::Id(Target::Table("weigh_ins"))))
        .field(field("voided_at", Kind::Instant))
        .field(field("voided_by", Kind::Id(Target::Person)))
        .field(name("voided_reason"))
        .group(&["weight_x10", "unit", "weighed_at", "scale", "tag_read"])
        .group(&["voided_at", "voided_by", "voided_reason"])
        .staff_only()
        .append(&["voided_at", "voided_by", "voided_reason"])
        .finish()
}

fn placings() -> Table {
    build("placings")
        .field(field("class_id", ID_OF_CLASS.clone()).policy(Policy::Fixed).required())
        .field(field("entry_id", Kind::Id(Target::Table("entries"))).policy(Policy::Fixed).required())
        .field(field("card_id", Kind::Id(Target::Group)).access(Access::Staff))
        .field(int("place", 1, 999).inbox())
        .field(word("ribbon").inbox())
        .field(name("award").inbox())
        .field(word("tie_group").inbox())
        .field(choice("code", &["NP", "DQ", "U"]).inbox())
        .field(field("note", Kind::Text { max_chars: TEXT_CHARS, form: TextForm::Plain }).access(Access::Staff))
        .field(field("posted_by", Kind::Id(Target::Person)).access(Access::Staff))
        .group(&["place", "tie_group", "code", "award"])
        .natural_key("class_id", "entry_id", None)
        .finish()
}

fn class_calls() -> Table {
    build("class_calls")
        .field(field("class_id", ID_OF_CLASS.clone()).required())
        .field(field("ring_id", ID_OF_RING.clone()))
        .field(
            choice(
                "kind",
                &["up_next", "call_1", "call_2", "final_call", "in_ring", "hold", "resume", "judged", "cancel"],
            )
            .required(),
        )
        .field(field("at", Kind::Instant))
        .field(field("by", Kind::Id(Target::Person)).access(Access::Staff))
        .append(&[])
        .finish()
}

fn announcements() -> Table {
    build("announcements")
        .field(word("type").required())
        .field(field("title", Kind::Text { max_chars: 80, form: TextForm::Plain }).required())
        .field(field("body", Kind::Text { max_chars: 400, form: TextForm::Plain }))
        .field(choice("priority", &["normal", "high", "urgent"]).required().default_text("normal"))
        .object(
            "audience",
            vec![
                field("functions", Kind::List(&WORD)),
                field("rings", Kind::List(&ID_OF_RING)),
                field("departments", Kind::List(&WORD)),
                field("class_ids", Kind::List(&ID_OF_CLASS)),
                field("exhibitor_ids", Kind::List(&ID_OF_EXHIBITOR)),
            ],
        )
        .field(flag("needs_ack").required().default(Value::Bool(false)))
        .field(field("expires_at", Kind::Instant))
        .field(field("retracted_at", Kind::Instant))
        .append(&["retracted_at"])
        .finish()
}

/// A field before its place in the table is known.
struct Draft {
    name: &'static str,
    kind: Kind,
    policy: Policy,
    required: bool,
    default: Value,
    access: Access,
}

fn field(name: &'static str, kind: Kind) -> Draft {
    Draft { name, kind, policy: Policy::LastWriter, required: false, default: Value::Null, access: Access::Public }
}

fn name(field_name: &'static str) -> Draft {
    field(field_name, Kind::Text { max_chars: NAME_CHARS, form: TextForm::Plain })
}

fn word(field_name: &'static str) -> Draft {
    field(field_name, WORD.clone())
}

fn code(field_name: &'static str) -> Draft {
    field(field_name, CODE.clone())
}

fn int(field_name: &'static str, min: i64, max: i64) -> Draft {
    field(field_name, Kind::Int { min, max })
}

fn flag(field_name: &'static str) -> Draft {
    field(field_name, Kind::Bool)
}

fn choice(field_name: &'static str, words: &'static [&'static str]) -> Draft {
    field(field_name, Kind::Choice(words))
}

impl Draft {
    fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    fn role(self) -> Self {
        self.policy(Policy::Role)
    }

    fn inbox(self) -> Self {
        self.policy(Policy::Inbox)
    }

    fn required(mut self) -> Self {
        self.required = true;
        self
    }

    fn default(mut self, value: Value) -> Self {
        self.default = value;
        self
    }

    fn default_text(self, text: &str) -> Self {
        self.default(Value::Text(text.to_owned()))
    }

    fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }
}

struct Builder {
    table: Table,
}

fn build(name: &'static str) -> Builder {
    Builder {
        table: Table {
            name,
            columns: Vec::new(),
            fields: Vec::new(),
            groups: Vec::new(),
            uniques: Vec::new(),
            natural_key: None,
            append: None,
            by_path: HashMap::new(),
        },
    }
}

impl Builder {
    fn field(mut self, draft: Draft) -> Self {
        let name = draft.name;
        let index = self.push(draft, name, None);
        self.table.columns.push(Column { name, fields: vec![index], is_object: false });
        self
    }

    fn object(mut self, name: &'static str, keys: Vec<Draft>) -> Self {
        let fields = keys
            .into_iter()
            .map(|draft| {
                let key = draft.name;
                // Made once at start: the ten tables live as long as the program.
                let path: &'static str = Box::leak(format!("{name}.{key}").into_boxed_str());
                self.push(draft, path, Some(key))
            })
            .collect();
        self.table.columns.push(Column { name, fields, is_object: true });
        self
    }

    fn push(&mut self, draft: Draft, path: &'static str, key: Option<&'static str>) -> usize {
        let index = self.table.fields.len();
        self.table.fields.push(Field {
            path,
            column: self.table.columns.len(),
            key,
            kind: draft.kind,
            policy: draft.policy,
            required: draft.required,
            default: draft.default,
            access: draft.access,
            own_index: index,
        });
        self.table.by_path.insert(path, index);
        index
    }

    fn indexes(&self, paths: &[&str]) -> Vec<usize> {
        paths.iter().map(|path| self.table.index(path)).collect()
    }

    fn group(mut self, paths: &[&str]) -> Self {
        let group = self.indexes(paths);
        self.table.groups.push(group);
        self
    }

    fn unique(mut self, name: &'static str, paths: &[&str]) -> Self {
        let fields = self.indexes(paths);
        self.table.uniques.push(Unique { name, fields });
        self
    }

    fn natural_key(mut self, namespace: &str, name: &str, otherwise: Option<&str>) -> Self {
        self.table.natural_key = Some(NaturalKey {
            namespace: self.table.index(namespace),
            name: self.table.index(name),
            name_otherwise: otherwise.map(|path| self.table.index(path)),
        });
        self
    }

    fn staff_only(mut self) -> Self {
        for field in &mut self.table.fields {
            field.access = Access::Staff;
        }
        self
    }

    fn append(mut self, later: &[&str]) -> Self {
        let later = self.indexes(later);
        for field in &mut self.table.fields {
            if !later.contains(&field.own_index) {
                field.policy = Policy::Fixed;
            }
        }
        self.table.append = Some(later);
        self
    }

    fn finish(self) -> Table {
        self.table
    }
}
