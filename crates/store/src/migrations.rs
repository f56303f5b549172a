//! Brings a database to the newest form. Both engines have the same steps, by number and name.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// The texts of one step, for SQLite and for Postgres.
macro_rules! step {
    ($number:literal, $name:literal) => {
        Step {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $number, "_", $name, ".sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $number, "_", $name, ".sql")),
        }
    };
}

struct Step {
    number: &'static str,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

const STEPS: &[Step] = &[
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
];

pub(crate) fn sqlite() -> Migrator {
    migrator(|step| step.sqlite)
}

/// On Postgres the migrator holds an advisory lock while it works: several desks may start at once.
pub(crate) fn postgres() -> Migrator {
    migrator(|step| step.postgres)
}

fn migrator(text: impl Fn(&Step) -> &'static str) -> Migrator {
    let migrations = STEPS.iter().map(|step| {
        let number = step.number.parse().expect("steps are numbered");
        Migration::new(number, Cow::Borrowed(step.name), MigrationType::Simple, text(step).into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

#[cfg(test)]
mod tests {
    use super::STEPS;

    #[test]
    fn every_file_is_a_step() {
        for engine in ["sqlite", "postgres"] {
            let folder = format!("{}/../../migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
            let mut files: Vec<String> = std::fs::read_dir(folder)
                .unwrap()
                .map(|file| file.unwrap().file_name().into_string().unwrap())
                .collect();
            files.sort();
            let steps: Vec<String> = STEPS.iter().map(|step| format!("{}_{}.sql", step.number, step.name)).collect();
            assert_eq!(files, steps, "{engine}");
        }
    }
}
