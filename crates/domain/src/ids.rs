//! Identities and counters, each a type of its own so that they cannot be mixed up.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_newtype {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

uuid_newtype! {
    /// A row of a synced table.
    RecordId;
    /// One change as its author made it; also the id of its queue row.
    OpId;
    /// A phone, or the desk itself.
    DeviceId;
    /// A row of `profiles`: somebody who works at the show.
    PersonId;
    /// A clash that a person decides.
    ConflictId;
}

macro_rules! counter_newtype {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// The number after this one.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

counter_newtype! {
    /// How many accepted writes a record has had; 0 means that it does not exist.
    Version;
    /// The number of one change in the feed, unique in a database.
    Seq;
}

/// The id of a row that has a natural key, so that two phones make the same row.
///
/// `v5(a, b)` of PROTOCOL.md §3: the namespace is `a`, the name the 36 ASCII characters of `b`.
///
/// ```
/// use showdesk_domain::ids::natural_id;
/// use uuid::Uuid;
/// let family = Uuid::from_u128(1);
/// let animal = Uuid::from_u128(2);
/// assert_eq!(natural_id(family, animal), Uuid::new_v5(&family, animal.to_string().as_bytes()));
/// ```
pub fn natural_id(namespace: Uuid, name: Uuid) -> Uuid {
    let mut text = Uuid::encode_buffer();
    Uuid::new_v5(&namespace, name.hyphenated().encode_lower(&mut text).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        namespace: Uuid,
        name: Uuid,
        id: Uuid,
    }

    #[test]
    fn natural_ids_are_the_same_in_rust_and_on_the_phone() {
        let text = include_str!("../../../tests/vectors/natural-ids.json");
        let vectors: Vectors = serde_json::from_str(text).expect("the shared vectors");
        assert!(!vectors.cases.is_empty());
        for case in vectors.cases {
            assert_eq!(natural_id(case.namespace, case.name), case.id);
        }
    }
}
