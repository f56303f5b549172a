//! Who makes a change, and how far their rights reach (DOMAIN.md §2).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{DeviceId, PersonId};

/// The person and the device behind a request. It comes from the token and from nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who is named in history and audit.
    pub person: PersonId,
    /// That person's name, as phones and the desk show it.
    pub person_name: String,
    /// The device whose token was shown.
    pub device: DeviceId,
    /// What kind of device that is.
    pub device_kind: DeviceKind,
    /// The person's role in the team.
    pub role: Role,
    /// What the person does at the show; rights are the union.
    pub functions: Vec<Function>,
    /// Where the person may write.
    pub scope: Scope,
}

/// A phone, or the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// A phone that joined by a code.
    Phone,
    /// The laptop's own page.
    Desk,
}

/// `team_members.role`, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Works at the show.
    Editor,
    /// Runs the show.
    Admin,
    /// Owns the installation.
    Owner,
}

/// What a person does at the show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// Manager or secretary.
    Admin,
    /// Responsible for a species.
    Superintendent,
    /// Gate of the barn, papers, pens.
    Checkin,
    /// Weighs.
    Scale,
    /// Calls classes to the ring.
    Gate,
    /// Records the judge's placings.
    Clerk,
    /// Reads results and calls out loud.
    Announcer,
    /// Health.
    Vet,
    /// Exhibitor, parent, judge.
    Viewer,
}

/// Where a person may write, and which exhibitors a viewer belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    /// Rings; empty means no limit.
    pub ring_ids: Vec<Uuid>,
    /// Departments; empty means no limit.
    pub departments: Vec<String>,
    /// A viewer's own exhibitors; empty means no one.
    pub exhibitor_ids: Vec<Uuid>,
}

/// What of a row a reader gets (DOMAIN.md §4): one stored text per class serves pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReadClass {
    /// Viewers.
    Public,
    /// Everybody who works at the show.
    Staff,
    /// Admin, check-in and superintendents.
    Office,
}

impl Actor {
    /// Whether the person has that function.
    pub fn has(&self, function: Function) -> bool {
        self.functions.contains(&function)
    }

    /// Whether the person runs the show.
    pub fn is_admin(&self) -> bool {
        self.role >= Role::Admin || self.has(Function::Admin)
    }

    /// The rank that decides between two ROLE values: admin > superintendent > vet > function staff.
    pub fn rank(&self) -> i64 {
        if self.is_admin() {
            4
        } else if self.has(Function::Superintendent) {
            3
        } else if self.has(Function::Vet) {
            2
        } else {
            i64::from(self.functions.iter().any(|function| *function != Function::Viewer))
        }
    }

    /// Which columns the person may see.
    pub fn read_class(&self) -> ReadClass {
        if self.is_admin() || self.has(Function::Checkin) || self.has(Function::Superintendent) {
            ReadClass::Office
        } else if self.rank() > 0 {
            ReadClass::Staff
        } else {
            ReadClass::Public
        }
    }
}
