//! Brings a database to the newest form. Both engines have the same steps, by number and name: those of the show, and
//! those of what the program measures of itself.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// The texts of one step, for SQLite and for Postgres.
macro_rules! step {
    ($number:literal, $name:literal) => {
        step!("", $number, $name)
    };
    ($family:literal, $number:literal, $name:literal) => {
        Step {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("../../../migrations/", $family, "sqlite/", $number, "_", $name, ".sql")),
            postgres: include_str!(concat!("../../../migrations/", $family, "postgres/", $number, "_", $name, ".sql")),
        }
    };
}

/// What a database is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The show.
    Show,
    /// What the program measures of itself.
    Telemetry,
}

struct Step {
    number: &'static str,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

const SHOW: &[Step] = &[
    step!("0001", "people_and_installation"),
    step!("0002", "synced_tables"),
    step!("0003", "sync"),
    step!("0004", "imports_and_audit"),
    step!("0005", "messages_and_cache"),
    step!("0006", "waiting_and_groups"),
    step!("0007", "decisions"),
    step!("0008", "desks_and_floor"),
    step!("0009", "desk_faces"),
    step!("0010", "people"),
    step!("0011", "row_level_security"),
    step!("0012", "network_and_secrets"),
    step!("0013", "notifications"),
    step!("0014", "people_mends"),
    step!("0015", "overview_counts"),
    step!("0016", "deliveries_by_service"),
    step!("0017", "names_in_use"),
    step!("0018", "back_numbers"),
];

const TELEMETRY: &[Step] = &[
    step!("telemetry/", "0001", "recording"),
    step!("telemetry/", "0002", "errors_and_alerts"),
    step!("telemetry/", "0003", "alerts_in_order"),
];

impl Purpose {
    fn steps(self) -> &'static [Step] {
        match self {
            Self::Show => SHOW,
            Self::Telemetry => TELEMETRY,
        }
    }
}

pub(crate) fn sqlite(purpose: Purpose) -> Migrator {
    migrator(purpose, |step| step.sqlite)
}

/// On Postgres the migrator holds an advisory lock while it works: several desks may start at once.
pub(crate) fn postgres(purpose: Purpose) -> Migrator {
    migrator(purpose, |step| step.postgres)
}

/// Every table that the steps make on Postgres.
pub(crate) fn postgres_tables(purpose: Purpose) -> Vec<&'static str> {
    let made = purpose.steps().iter().flat_map(|step| step.postgres.lines());
    let mut names: Vec<&str> =
        made.filter_map(|line| line.strip_prefix("CREATE TABLE ")?.split([' ', '(']).next()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn migrator(purpose: Purpose, text: impl Fn(&Step) -> &'static str) -> Migrator {
    let migrations = purpose.steps().iter().map(|step| {
        let number = step.number.parse().expect("steps are numbered");
        Migration::new(number, Cow::Borrowed(step.name), MigrationType::Simple, text(step).into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

#[cfg(test)]
mod tests {
    use super::{SHOW, TELEMETRY};

    #[test]
    fn every_file_is_a_step() {
        for (family, steps) in [("", SHOW), ("telemetry/", TELEMETRY)] {
            for engine in ["sqlite", "postgres"] {
                let folder = format!("{}/../../migrations/{family}{engine}", env!("CARGO_MANIFEST_DIR"));
                let mut files: Vec<String> = std::fs::read_dir(folder)
                    .unwrap()
                    .map(|file| file.unwrap().file_name().into_string().unwrap())
                    .collect();
                files.sort();
                let steps: Vec<String> =
                    steps.iter().map(|step| format!("{}_{}.sql", step.number, step.name)).collect();
                assert_eq!(files, steps, "{family}{engine}");
            }
        }
    }
}
