//! Who makes a change, and how far their rights reach (DOMAIN.md §2).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{DeviceId, PersonId};
use crate::permission::Permission;

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
    /// What the person was given beyond these functions, and what was withheld.
    pub permissions: Permissions,
}

/// Switches that stand otherwise than the person's functions put them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Permissions {
    /// Given, though no function of the person has it.
    pub granted: Vec<Permission>,
    /// Withheld, though a function of the person has it, or somebody gave it.
    pub withheld: Vec<Permission>,
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

impl Function {
    /// The word in the protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Superintendent => "superintendent",
            Self::Checkin => "checkin",
            Self::Scale => "scale",
            Self::Gate => "gate",
            Self::Clerk => "clerk",
            Self::Announcer => "announcer",
            Self::Vet => "vet",
            Self::Viewer => "viewer",
        }
    }
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
    /// Whether the person has that function. Whose role is viewer has none: such a person only reads.
    pub fn has(&self, function: Function) -> bool {
        self.role > Role::Viewer && self.functions.contains(&function)
    }

    /// Whether the person runs the show.
    pub fn is_admin(&self) -> bool {
        self.role >= Role::Admin || self.has(Function::Admin)
    }

    /// Whether the person works at the show: everybody but viewers.
    pub fn is_staff(&self) -> bool {
        let works = |function: &Function| *function != Function::Viewer && self.has(*function);
        self.is_admin() || self.functions.iter().any(works)
    }

    /// Whether a switch stands on. Nothing makes a viewer more than a reader; from an admin nothing is withheld.
    pub fn may(&self, permission: Permission) -> bool {
        let Permissions { granted, withheld } = &self.permissions;
        let by_function = || permission.functions().iter().any(|function| self.has(*function));
        self.is_admin()
            || self.is_staff() && !withheld.contains(&permission) && (granted.contains(&permission) || by_function())
    }

    /// Whether the rules by which that function has the permission hold for the person: the function is the person's,
    /// or the permission was given.
    pub fn may_as(&self, function: Function, permission: Permission) -> bool {
        self.may(permission) && (self.has(function) || self.permissions.granted.contains(&permission))
    }

    /// The switches that stand on.
    pub fn effective(&self) -> Vec<Permission> {
        Permission::ALL.into_iter().filter(|permission| self.may(*permission)).collect()
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
            i64::from(self.is_staff())
        }
    }

    /// Which columns the person may see.
    pub fn read_class(&self) -> ReadClass {
        if self.may(Permission::SeeContacts) {
            ReadClass::Office
        } else if self.is_staff() {
            ReadClass::Staff
        } else {
            ReadClass::Public
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::actor;

    fn person(role: Role, functions: &[Function], granted: &[Permission], withheld: &[Permission]) -> Actor {
        let permissions = Permissions { granted: granted.to_vec(), withheld: withheld.to_vec() };
        Actor { role, functions: functions.to_vec(), permissions, ..actor() }
    }

    #[test]
    fn effective_is_what_functions_bring_and_was_given_but_for_what_is_withheld() {
        use Permission::{FixTags, VoidOwnWeight, Weigh};
        let scale = |granted: &[_], withheld: &[_]| person(Role::Editor, &[Function::Scale], granted, withheld);
        assert_eq!(scale(&[], &[]).effective(), [Weigh, VoidOwnWeight]);
        assert_eq!(scale(&[FixTags], &[]).effective(), [FixTags, Weigh, VoidOwnWeight]);
        assert_eq!(scale(&[FixTags], &[FixTags, Weigh]).effective(), [VoidOwnWeight]);
        let admin = person(Role::Editor, &[Function::Admin], &[], &Permission::ALL);
        assert_eq!(admin.effective(), Permission::ALL);
    }

    #[test]
    fn nothing_that_is_given_makes_a_viewer_more_than_a_reader() {
        for (role, functions) in [
            (Role::Editor, &[Function::Viewer][..]),
            (Role::Editor, &[]),
            (Role::Viewer, &[Function::Scale, Function::Checkin, Function::Admin]),
        ] {
            let viewer = person(role, functions, &Permission::ALL, &[]);
            assert_eq!(viewer.effective(), [], "{role:?} {functions:?}");
            assert_eq!((viewer.read_class(), viewer.rank(), viewer.is_admin()), (ReadClass::Public, 0, false));
        }
    }

    #[test]
    fn who_sees_contacts_is_told_by_the_switch() {
        let see = [Permission::SeeContacts];
        let scale = [Function::Scale];
        assert_eq!(person(Role::Editor, &scale, &[], &[]).read_class(), ReadClass::Staff);
        assert_eq!(person(Role::Editor, &scale, &see, &[]).read_class(), ReadClass::Office);
        assert_eq!(person(Role::Editor, &[Function::Checkin], &[], &[]).read_class(), ReadClass::Office);
        assert_eq!(person(Role::Editor, &[Function::Checkin], &[], &see).read_class(), ReadClass::Staff);
    }
}
