//! What a person may do at the show, as the plain switches of the desk: each rule of the matrix belongs to one.
//!
//! A function brings its permissions; a person can be given more, or have some withheld. The rules themselves stand
//! in [`crate::permit`].

use serde::{Deserialize, Serialize};

use crate::actor::Function;

/// One switch of the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Marks animals arrived.
    Arrive,
    /// Checks animals in: identity, pen, and entries that are added on the day.
    CheckIn,
    /// Changes entries: everything of the own department before the show, later breed, class and who is out.
    Entries,
    /// Changes ear tags.
    FixTags,
    /// Saves weights.
    Weigh,
    /// Takes the own weight back.
    VoidOwnWeight,
    /// Takes anybody's weight back.
    FixWeights,
    /// Changes classes, and their order.
    Classes,
    /// Marks animals ready at the ring, or absent.
    AtRing,
    /// Calls classes.
    Calls,
    /// Saves result cards.
    Cards,
    /// Sets health holds, and takes animals out for their health.
    Health,
    /// Sends messages.
    Messages,
    /// Changes names and contacts of exhibitors.
    EditContacts,
    /// Sees the phone numbers of guardians, and where exhibitors come from.
    SeeContacts,
}

use Function::{Announcer, Checkin, Clerk, Gate, Scale, Superintendent, Vet};

impl Permission {
    /// All of them, in the order in which the desk lists them.
    pub const ALL: [Self; 15] = [
        Self::Arrive,
        Self::CheckIn,
        Self::Entries,
        Self::FixTags,
        Self::Weigh,
        Self::VoidOwnWeight,
        Self::FixWeights,
        Self::Classes,
        Self::AtRing,
        Self::Calls,
        Self::Cards,
        Self::Health,
        Self::Messages,
        Self::EditContacts,
        Self::SeeContacts,
    ];

    /// Its name in the protocol and in both databases.
    pub fn key(self) -> &'static str {
        match self {
            Self::Arrive => "arrive",
            Self::CheckIn => "check_in",
            Self::Entries => "entries",
            Self::FixTags => "fix_tags",
            Self::Weigh => "weigh",
            Self::VoidOwnWeight => "void_own_weight",
            Self::FixWeights => "fix_weights",
            Self::Classes => "classes",
            Self::AtRing => "at_ring",
            Self::Calls => "calls",
            Self::Cards => "cards",
            Self::Health => "health",
            Self::Messages => "messages",
            Self::EditContacts => "edit_contacts",
            Self::SeeContacts => "see_contacts",
        }
    }

    /// The permission of that name.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.key() == key)
    }

    /// The functions that have it by themselves. An admin has all of them.
    pub fn functions(self) -> &'static [Function] {
        match self {
            Self::Arrive => &[Checkin, Gate],
            Self::EditContacts => &[Checkin],
            Self::Entries | Self::FixTags | Self::FixWeights | Self::Classes => &[Superintendent],
            Self::Weigh | Self::VoidOwnWeight => &[Scale],
            Self::AtRing => &[Gate, Clerk],
            Self::Calls => &[Gate, Clerk, Announcer],
            Self::Cards => &[Clerk],
            Self::Health => &[Vet],
            Self::Messages => &[Announcer],
            Self::CheckIn | Self::SeeContacts => &[Checkin, Superintendent],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_is_written() {
        for permission in Permission::ALL {
            assert_eq!(serde_json::to_value(permission).expect("JSON"), permission.key());
            assert_eq!(Permission::parse(permission.key()), Some(permission));
        }
        assert_eq!(Permission::parse("everything"), None);
    }

    #[test]
    fn no_permission_belongs_to_viewers_and_each_staff_function_has_one() {
        let has = |function| Permission::ALL.iter().any(|permission| permission.functions().contains(&function));
        assert!(!has(Function::Viewer));
        for function in [Superintendent, Checkin, Scale, Gate, Clerk, Announcer, Vet] {
            assert!(has(function), "{function:?}");
        }
    }
}
