//! Brings what an older app wrote into the present shape of the synced tables.
//!
//! What changed from one version to the next stands here as data. Only the `data` and `base` of an op are rewritten,
//! never its payload hash: an op that is sent again is known by what was sent. Pure.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The oldest version whose ops are read.
///
/// Version 0 was never released: the first draft called an animal's `pen` `pen_no`. Its step is here so that the way an
/// old app's queue takes is always there and always tested, before the first real step needs it.
pub const SCHEMA_OLDEST: i64 = 0;

/// The members of `data` or `base`, each as it was sent.
pub(crate) type Members = BTreeMap<String, Box<RawValue>>;

/// A column that got another name.
#[derive(Debug, Clone, Copy)]
struct Renamed {
    table: &'static str,
    from: &'static str,
    to: &'static str,
}

/// What each version changed, beginning with the step that leads on from [`SCHEMA_OLDEST`].
const STEPS: &[&[Renamed]] = &[&[Renamed { table: "animals", from: "pen_no", to: "pen" }]];

/// The members under their present names. `Err` names one that its version did not have, though a later one does.
pub(crate) fn upcast(schema: i64, table: &str, members: Members) -> Result<Members, String> {
    let done = usize::try_from(schema - SCHEMA_OLDEST).unwrap_or(0);
    STEPS.iter().skip(done).try_fold(members, |members, step| rename(step, table, members))
}

fn rename(step: &[Renamed], table: &str, members: Members) -> Result<Members, String> {
    let renamed: Vec<&Renamed> = step.iter().filter(|renamed| renamed.table == table).collect();
    let name_of = |name: String| match renamed.iter().find(|renamed| renamed.from == name) {
        Some(renamed) => Ok(renamed.to.to_owned()),
        None if renamed.iter().any(|renamed| renamed.to == name) => Err(name),
        None => Ok(name),
    };
    members.into_iter().map(|(name, value)| Ok((name_of(name)?, value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::SCHEMA_VERSION;
    use crate::schema::table;

    fn members(text: &str) -> Members {
        serde_json::from_str(text).expect("an object")
    }

    fn text(members: &Members) -> String {
        serde_json::to_string(members).expect("JSON")
    }

    #[test]
    fn there_is_a_step_for_every_version_and_the_last_one_names_present_columns() {
        assert_eq!(i64::try_from(STEPS.len()), Ok(SCHEMA_VERSION - SCHEMA_OLDEST));
        for renamed in *STEPS.last().expect("a step") {
            let table = table(renamed.table).expect("a synced table");
            assert!(table.column(renamed.to).is_some() && table.column(renamed.from).is_none(), "{renamed:?}");
        }
    }

    #[test]
    fn an_old_name_becomes_the_present_one_in_its_table_only() {
        let old = r#"{"breed":"Angus","pen_no":"B12"}"#;
        let animal = upcast(0, "animals", members(old)).map(|members| text(&members));
        assert_eq!(animal.as_deref(), Ok(r#"{"breed":"Angus","pen":"B12"}"#));
        let ring = upcast(0, "rings", members(old)).map(|members| text(&members));
        assert_eq!(ring.as_deref(), Ok(old), "another table never had it");
        let present = upcast(1, "animals", members(old)).map(|members| text(&members));
        assert_eq!(present.as_deref(), Ok(old), "what is of today is not touched");
    }

    #[test]
    fn a_name_that_came_later_is_unknown_to_an_old_app() {
        for data in [r#"{"pen":"B12"}"#, r#"{"pen":"B12","pen_no":"B12"}"#] {
            assert_eq!(upcast(0, "animals", members(data)).map(|_| ()), Err("pen".to_owned()), "{data}");
        }
    }

    #[test]
    fn two_columns_can_change_names() {
        let step = [Renamed { table: "t", from: "a", to: "b" }, Renamed { table: "t", from: "b", to: "a" }];
        let swapped = rename(&step, "t", members(r#"{"a":1,"b":2}"#)).map(|members| text(&members));
        assert_eq!(swapped.as_deref(), Ok(r#"{"a":2,"b":1}"#));
    }
}
