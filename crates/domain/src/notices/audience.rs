//! Whom a message is for: people by their job, ring, department and own entries. Nobody has to subscribe.
//!
//! A viewer gets what is for everybody, for viewers, or names the viewer's own ring, department, exhibitors or their
//! classes; never what is for those who work.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::{Function, Role, Scope};
use crate::ids::PersonId;
use crate::record::Record;
use crate::value::Value;

/// Whom a message is for. What is named is added up; nothing named at all means everybody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audience {
    /// Everybody at the show, viewers included.
    #[serde(skip_serializing_if = "is_false")]
    pub everybody: bool,
    /// Everybody with one of these jobs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<Function>,
    /// Who works at these rings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rings: Vec<Uuid>,
    /// Who works for these departments, and whose animals are in them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub departments: Vec<String>,
    /// Whose animals are entered in these classes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub class_ids: Vec<Uuid>,
    /// Who belongs to these exhibitors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exhibitor_ids: Vec<Uuid>,
    /// Of `functions` but the admins, only who works at these rings; only the desk's own messages have it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub at_rings: Vec<Uuid>,
    /// Of `functions` but the admins, only who works for these departments; likewise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub of_departments: Vec<String>,
    /// Whose animals are in these departments, and nobody who works for them; likewise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owners_of: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands every field over by reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Somebody who may be told something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hearer {
    /// Who.
    pub person: PersonId,
    /// The role in the team.
    pub role: Role,
    /// What the person does.
    pub functions: Vec<Function>,
    /// Where, and for whom.
    pub scope: Scope,
}

/// Whose animals are where, as far as an audience asks.
#[derive(Debug, Clone, Default)]
pub struct Roll {
    /// Exhibitors with an entry in the class that still counts.
    pub by_class: HashMap<Uuid, HashSet<Uuid>>,
    /// Exhibitors with an animal of the department.
    pub by_department: HashMap<String, HashSet<Uuid>>,
}

/// Jobs that are done at a ring: who has one and is bound to no ring works at all of them.
const AT_A_RING: [Function; 3] = [Function::Gate, Function::Clerk, Function::Announcer];

impl Hearer {
    fn has(&self, function: Function) -> bool {
        self.role > Role::Viewer && self.functions.contains(&function)
    }

    fn is_admin(&self) -> bool {
        self.role >= Role::Admin || self.has(Function::Admin)
    }

    /// Whether the person has a job that is not the running of the show.
    fn has_job(&self) -> bool {
        self.functions.iter().any(|job| !matches!(job, Function::Viewer | Function::Admin) && self.has(*job))
    }

    fn does(&self, function: Function) -> bool {
        match function {
            Function::Viewer => !self.is_admin() && !self.has_job(),
            Function::Admin => self.is_admin(),
            other => self.has(other),
        }
    }

    fn works_at(&self, ring: Uuid) -> bool {
        let by_job = self.scope.ring_ids.is_empty() && AT_A_RING.iter().any(|job| self.has(*job));
        by_job || self.scope.ring_ids.contains(&ring)
    }

    fn works_for(&self, department: &str) -> bool {
        let by_job = self.scope.departments.is_empty() && self.has_job();
        by_job || self.scope.departments.iter().any(|own| own == department)
    }

    fn owns(&self, exhibitors: Option<&HashSet<Uuid>>) -> bool {
        exhibitors.is_some_and(|exhibitors| self.scope.exhibitor_ids.iter().any(|own| exhibitors.contains(own)))
    }
}

impl Audience {
    /// Everybody.
    pub fn everybody() -> Self {
        Self { everybody: true, ..Self::default() }
    }

    /// The people with these jobs.
    pub fn of_functions(functions: &[Function]) -> Self {
        Self { functions: functions.to_vec(), ..Self::default() }
    }

    /// Of an announcement: no list at all means everybody, lists that are empty nobody. A job that does not exist has
    /// nobody.
    pub fn of_announcement(record: &Record) -> Self {
        let lists = ["functions", "rings", "departments", "class_ids", "exhibitor_ids"];
        let list = |name: &str| record.value(&format!("audience.{name}"));
        let values = |name: &str| match list(name) {
            Value::List(values) => values.clone(),
            _ => Vec::new(),
        };
        let ids = |name: &str| values(name).iter().filter_map(Value::as_id).collect();
        let words = |name: &str| values(name).iter().filter_map(|word| word.as_text().map(str::to_owned)).collect();
        let functions: Vec<String> = words("functions");
        let function = |word: String| serde_json::from_value(serde_json::Value::String(word)).ok();
        Self {
            everybody: lists.iter().all(|name| list(name).is_null()),
            functions: functions.into_iter().filter_map(function).collect(),
            rings: ids("rings"),
            departments: words("departments"),
            class_ids: ids("class_ids"),
            exhibitor_ids: ids("exhibitor_ids"),
            ..Self::default()
        }
    }

    /// What an announcement's column holds of it.
    pub fn to_announcement(&self) -> serde_json::Value {
        let everybody = self.everybody;
        let named = Self {
            everybody: false,
            at_rings: Vec::new(),
            of_departments: Vec::new(),
            owners_of: Vec::new(),
            ..self.clone()
        };
        let named = serde_json::to_value(&named).expect("ids and words are JSON");
        if everybody { serde_json::json!({}) } else { named }
    }

    /// Whether nobody is named.
    pub fn is_empty(&self) -> bool {
        let Self { everybody, functions, rings, departments, class_ids, exhibitor_ids, owners_of, .. } = self;
        !everybody
            && owners_of.is_empty()
            && functions.is_empty()
            && rings.is_empty()
            && departments.is_empty()
            && class_ids.is_empty()
            && exhibitor_ids.is_empty()
    }

    /// What is named, each by a key that tells it apart: `function:gate`, `class:<id>`, ….
    pub fn parts(&self) -> Vec<(String, Self)> {
        let mut parts = Vec::new();
        if self.everybody {
            parts.push(("everybody".to_owned(), Self::everybody()));
        }
        for function in &self.functions {
            let part = Self {
                functions: vec![*function],
                at_rings: self.at_rings.clone(),
                of_departments: self.of_departments.clone(),
                ..Self::default()
            };
            parts.push((format!("function:{}", function.as_str()), part));
        }
        for ring in &self.rings {
            parts.push((format!("ring:{ring}"), Self { rings: vec![*ring], ..Self::default() }));
        }
        for name in &self.departments {
            parts.push((format!("department:{name}"), Self { departments: vec![name.clone()], ..Self::default() }));
        }
        for name in &self.owners_of {
            parts.push((format!("owners:{name}"), Self { owners_of: vec![name.clone()], ..Self::default() }));
        }
        for class in &self.class_ids {
            parts.push((format!("class:{class}"), Self { class_ids: vec![*class], ..Self::default() }));
        }
        for own in &self.exhibitor_ids {
            parts.push((format!("exhibitor:{own}"), Self { exhibitor_ids: vec![*own], ..Self::default() }));
        }
        parts
    }

    /// The departments whose animals must be known to tell whom it is for.
    pub fn departments_asked(&self) -> Vec<String> {
        self.departments.iter().chain(&self.owners_of).cloned().collect()
    }

    /// Whether it is for this person.
    pub fn names(&self, hearer: &Hearer, roll: &Roll) -> bool {
        let is_here = || {
            (self.at_rings.is_empty() || self.at_rings.iter().any(|ring| hearer.works_at(*ring)))
                && (self.of_departments.is_empty() || self.of_departments.iter().any(|name| hearer.works_for(name)))
        };
        let by_job = |job: &Function| hearer.does(*job) && (*job == Function::Admin || is_here());
        self.everybody
            || self.functions.iter().any(by_job)
            || self.rings.iter().any(|ring| hearer.works_at(*ring))
            || self.departments.iter().any(|name| hearer.works_for(name) || hearer.owns(roll.by_department.get(name)))
            || self.owners_of.iter().any(|name| hearer.owns(roll.by_department.get(name)))
            || self.class_ids.iter().any(|class| hearer.owns(roll.by_class.get(class)))
            || self.exhibitor_ids.iter().any(|exhibitor| hearer.scope.exhibitor_ids.contains(exhibitor))
    }

    /// Whom it is for, each once.
    pub fn people(&self, hearers: &[Hearer], roll: &Roll) -> BTreeSet<PersonId> {
        hearers.iter().filter(|hearer| self.names(hearer, roll)).map(|hearer| hearer.person).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RING_1: Uuid = Uuid::from_u128(0x11);
    const RING_2: Uuid = Uuid::from_u128(0x12);
    const HOGS_1: Uuid = Uuid::from_u128(0x21);
    const BIRCH: Uuid = Uuid::from_u128(0x31);
    const STONE: Uuid = Uuid::from_u128(0x32);

    fn person(number: u128, role: Role, functions: &[Function], scope: Scope) -> Hearer {
        Hearer { person: PersonId(Uuid::from_u128(number)), role, functions: functions.to_vec(), scope }
    }

    fn rings(ring_ids: &[Uuid]) -> Scope {
        Scope { ring_ids: ring_ids.to_vec(), ..Scope::default() }
    }

    fn parent(exhibitor: Uuid) -> Scope {
        Scope { exhibitor_ids: vec![exhibitor], ..Scope::default() }
    }

    fn people() -> Vec<(&'static str, Hearer)> {
        use Function::{Admin, Announcer, Clerk, Gate, Scale, Superintendent, Viewer};
        let swine = Scope { departments: vec!["swine".to_owned()], ..Scope::default() };
        vec![
            ("owner", person(1, Role::Owner, &[Admin], Scope::default())),
            ("hog super", person(2, Role::Editor, &[Superintendent], swine)),
            ("scale", person(3, Role::Editor, &[Scale], Scope::default())),
            ("gate of ring 1", person(4, Role::Editor, &[Gate], rings(&[RING_1]))),
            ("gate", person(5, Role::Editor, &[Gate], Scope::default())),
            ("clerk of ring 2", person(6, Role::Editor, &[Clerk], rings(&[RING_2]))),
            ("announcer", person(7, Role::Editor, &[Announcer], Scope::default())),
            ("parent Birch", person(8, Role::Viewer, &[Viewer], parent(BIRCH))),
            ("parent Stone", person(9, Role::Viewer, &[Viewer], parent(STONE))),
            // Neither a given job nor a listed one makes a viewer one of those who work.
            ("judge", person(10, Role::Viewer, &[Gate, Admin], Scope::default())),
            // Who works may have children at the show.
            ("helping parent", person(11, Role::Editor, &[Scale], parent(BIRCH))),
        ]
    }

    fn roll() -> Roll {
        Roll {
            by_class: [(HOGS_1, [BIRCH].into())].into(),
            by_department: [("swine".to_owned(), [BIRCH].into()), ("sheep".to_owned(), [STONE].into())].into(),
        }
    }

    fn named(audience: &Audience) -> Vec<&'static str> {
        people().into_iter().filter(|(_, hearer)| audience.names(hearer, &roll())).map(|(name, _)| name).collect()
    }

    #[test]
    fn each_audience_names_its_people() {
        use Function::{Admin, Announcer, Gate, Superintendent, Viewer};
        let none = Audience::default();
        let all: Vec<&str> = people().iter().map(|(name, _)| *name).collect();
        for (audience, expected) in [
            (Audience::everybody(), all),
            (Audience::default(), vec![]),
            (Audience::of_functions(&[Gate]), vec!["gate of ring 1", "gate"]),
            (Audience::of_functions(&[Admin]), vec!["owner"]),
            (Audience::of_functions(&[Viewer]), vec!["parent Birch", "parent Stone", "judge"]),
            (
                Audience { at_rings: vec![RING_2], ..Audience::of_functions(&[Gate, Announcer]) },
                vec!["gate", "announcer"],
            ),
            (
                Audience { of_departments: vec!["sheep".into()], ..Audience::of_functions(&[Admin, Superintendent]) },
                vec!["owner"],
            ),
            (Audience { owners_of: vec!["sheep".into()], ..none.clone() }, vec!["parent Stone"]),
            (
                Audience { of_departments: vec!["swine".into()], ..Audience::of_functions(&[Superintendent]) },
                vec!["hog super"],
            ),
            (Audience { rings: vec![RING_2], ..none.clone() }, vec!["gate", "clerk of ring 2", "announcer"]),
            (
                Audience { departments: vec!["sheep".into()], ..none.clone() },
                vec![
                    "scale",
                    "gate of ring 1",
                    "gate",
                    "clerk of ring 2",
                    "announcer",
                    "parent Stone",
                    "helping parent",
                ],
            ),
            (Audience { class_ids: vec![HOGS_1], ..none.clone() }, vec!["parent Birch", "helping parent"]),
            (Audience { exhibitor_ids: vec![STONE], ..none.clone() }, vec!["parent Stone"]),
            (
                Audience { class_ids: vec![HOGS_1], functions: vec![Gate], ..none },
                vec!["gate of ring 1", "gate", "parent Birch", "helping parent"],
            ),
        ] {
            assert_eq!(named(&audience), expected, "{audience:?}");
        }
    }

    #[test]
    fn a_person_named_twice_counts_once_and_each_part_counts_alone() {
        let hearers: Vec<Hearer> = people().into_iter().map(|(_, hearer)| hearer).collect();
        let audience = Audience { rings: vec![RING_1], ..Audience::of_functions(&[Function::Gate]) };
        assert_eq!(audience.people(&hearers, &roll()).len(), 3);
        let parts = audience.parts().into_iter();
        let parts: Vec<(String, usize)> =
            parts.map(|(key, part)| (key, part.people(&hearers, &roll()).len())).collect();
        assert_eq!(parts, [("function:gate".to_owned(), 2), (format!("ring:{RING_1}"), 3)]);
    }

    #[test]
    fn everybody_is_an_empty_object_in_an_announcement() {
        assert_eq!(Audience::everybody().to_announcement(), serde_json::json!({}));
        let gate = Audience { at_rings: vec![RING_1], ..Audience::of_functions(&[Function::Gate]) };
        assert_eq!(gate.to_announcement(), serde_json::json!({"functions": ["gate"]}));
    }
}
