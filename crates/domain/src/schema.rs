//! The synced tables as data: columns, types, policies, groups, keys.
//!
//! One descriptor here plus two migrations make a synced table; validation, merge, SQL text,
//! OpenAPI and the phone's store follow from it. `schema/tables.rs` holds the ten descriptors,
//! `schema/upcast.rs` what older versions called things.

mod tables;
pub mod upcast;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::value::{Kind, Target, Value};

/// The version of the synced tables that phones are told in `/sync/hello`.
pub const SCHEMA_VERSION: i64 = 1;

/// A synced table.
#[derive(Debug)]
pub struct Table {
    /// Its name in the protocol and in both databases.
    pub name: &'static str,
    /// Database columns in their order, without those every synced table has.
    pub columns: Vec<Column>,
    /// Leaf fields: one a scalar column, one a key of a JSON column. Values of a record stand in this order.
    pub fields: Vec<Field>,
    /// Fields that are merged as one, as indexes into `fields`.
    pub groups: Vec<Vec<usize>>,
    /// Combinations that no two live rows of a show may share, as indexes into `fields`.
    pub uniques: Vec<Unique>,
    /// The two fields whose values make the row's id, if two phones must make the same row.
    pub natural_key: Option<NaturalKey>,
    /// Whether rows are only added (DOMAIN.md §3, APPEND), and which fields their one later update may set.
    pub append: Option<Vec<usize>>,
    by_path: HashMap<&'static str, usize>,
}

/// A database column of a synced table.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its one field, or the fields of its keys if it is a JSON column, as indexes into `Table::fields`.
    pub fields: Vec<usize>,
    /// Whether the column is a JSON object of named keys.
    pub is_object: bool,
}

/// What can be changed, compared and merged on its own.
#[derive(Debug)]
pub struct Field {
    /// `tag`, or `rules.class_cap` for a key of a JSON column.
    pub path: &'static str,
    /// Index into `Table::columns`.
    pub column: usize,
    /// The key in the JSON column, if it is one.
    pub key: Option<&'static str>,
    /// What it can hold.
    pub kind: Kind,
    /// What happens when two people change it.
    pub policy: Policy,
    /// Whether it must have a value.
    pub required: bool,
    /// What an insert that does not send it gets.
    pub default: Value,
    /// Who may see it.
    pub access: Access,
    own_index: usize,
}

/// What happens when two people change one field (DOMAIN.md §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// The latest accepted value wins.
    LastWriter,
    /// The first value stays; null by its author or an admin clears it.
    FirstWriter,
    /// Set when the row is made and never changed.
    Fixed,
    /// Ordered states, lowest first; the higher wins. Null is below all.
    Stage(&'static [&'static str]),
    /// An optional moment or person that marks a stage as reached: set wins over null.
    StageMark,
    /// The higher authority wins; equal rank and different values ask a person.
    Role,
    /// The higher authority wins, among equals the latest value (rule C9).
    RoleLatest,
    /// Always a person.
    Inbox,
    /// The server computes it; a client's write is refused.
    Derived,
}

/// Who may see a field at all (DOMAIN.md §4, Reading).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody who may see the row.
    Public,
    /// Staff, and a viewer for its own exhibitors.
    Staff,
    /// Admin, check-in and superintendents.
    Office,
}

/// A uniqueness rule among live rows of a show.
#[derive(Debug)]
pub struct Unique {
    /// The index's name in both databases.
    pub name: &'static str,
    /// Indexes into `Table::fields`. A row with a null in one of them is outside the rule.
    pub fields: Vec<usize>,
}

/// How a row's id follows from two of its fields.
#[derive(Debug, Clone, Copy)]
pub struct NaturalKey {
    /// The field whose id is the namespace.
    pub namespace: usize,
    /// The field whose id is the name.
    pub name: usize,
    /// The field that is the name where `name` is null.
    pub name_otherwise: Option<usize>,
}

impl Table {
    /// The index of a field, if the table has it.
    pub fn field(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// The index of a field that the caller knows to exist.
    ///
    /// # Panics
    /// If the table has no such field: a mistake in our own code, found by the first test that runs the line.
    pub fn index(&self, path: &str) -> usize {
        self.field(path).unwrap_or_else(|| panic!("table {} has no field {path}", self.name))
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The fields that are merged together with this one, itself included.
    pub fn group_of(&self, field: usize) -> &[usize] {
        let group = self.groups.iter().find(|group| group.contains(&field));
        group.map_or(std::slice::from_ref(&self.fields[field].own_index), Vec::as_slice)
    }

    /// Fields by which rows are found: references and those of uniqueness rules. Each has an index in both databases.
    pub fn keys(&self) -> impl Iterator<Item = usize> + '_ {
        let unique = self.uniques.iter().flat_map(|unique| unique.fields.iter().copied());
        self.references().map(|(field, _)| field).chain(unique)
    }

    /// Fields that point to rows of synced tables, with the table they point to.
    pub fn references(&self) -> impl Iterator<Item = (usize, &'static str)> + '_ {
        self.fields.iter().enumerate().filter_map(|(index, field)| match field.kind {
            Kind::Id(Target::Table(name)) => Some((index, name)),
            _ => None,
        })
    }
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// Pairs of fields of which the first must not lie above the second.
const RANGES: &[(&str, &str, &str)] =
    &[("shows", "starts_on", "ends_on"), ("classes", "min_x10", "max_x10"), ("classes", "born_from", "born_to")];

/// The first range of a row that ends before it begins; a bound that is not set bounds nothing.
pub fn crossed_range(table: &Table, values: &[Value]) -> Option<(usize, usize)> {
    let own = RANGES.iter().filter(|(name, _, _)| *name == table.name);
    let mut fields = own.map(|(_, from, to)| (table.index(from), table.index(to)));
    fields.find(|(from, to)| match (&values[*from], &values[*to]) {
        (Value::Int(from), Value::Int(to)) => from > to,
        (Value::Date(from), Value::Date(to)) => from > to,
        _ => false,
    })
}

/// All synced tables, parents before children.
pub fn tables() -> &'static [Table] {
    &TABLES
}

/// The synced table of that exact name.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

/// A synced table that the caller knows to exist.
///
/// # Panics
/// If there is none: a mistake in our own code.
pub fn known_table(name: &str) -> &'static Table {
    table(name).unwrap_or_else(|| panic!("there is no synced table {name}"))
}

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(tables::all);
