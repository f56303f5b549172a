//! A row that the database itself refuses: the bulk statement fails, then the request, then the op alone. Nobody else
//! notices, whoever shares the transaction.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::{Value as Json, json};
use showdesk_testkit::OwnDatabase;

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{fresh, insert, with};
use crate::program::{Engine, Program};

on_both_engines!(with_database => a_row_the_database_refuses_fails_alone);

/// Pushes that arrive together.
const PUSHES: usize = 8;
const OPS_A_PUSH: usize = 5;
/// What the database refuses.
const POISON: &str = "poison";

/// Runs statements in a desk's database, beside the program.
pub(crate) enum Database {
    Sqlite(std::path::PathBuf),
    Postgres(OwnDatabase),
}

impl Database {
    pub(crate) async fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(file) => {
                let file = rusqlite::Connection::open(file).expect("the database opens");
                file.execute_batch(sql).expect("the statement runs");
            }
            Self::Postgres(database) => database.execute(sql).await,
        }
    }

    /// From now on it refuses new rows of a table of which this is true.
    pub(crate) async fn refuse(&self, table: &str, condition: &str) {
        let rule = match self {
            Self::Sqlite(_) => format!(
                "CREATE TRIGGER poison BEFORE INSERT ON {table} WHEN {condition} \
                 BEGIN SELECT RAISE(ABORT, 'poisoned'); END"
            ),
            Self::Postgres(_) => format!(
                "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 IF {condition} THEN RAISE EXCEPTION 'poisoned'; END IF; RETURN NEW; END $$; \
                 CREATE TRIGGER poison BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION poison()"
            ),
        };
        self.execute(&rule).await;
    }

    /// It refuses nothing more.
    async fn take_everything(&self, table: &str) {
        match self {
            Self::Sqlite(_) => self.execute("DROP TRIGGER poison").await,
            Self::Postgres(_) => self.execute(&format!("DROP TRIGGER poison ON {table}")).await,
        }
    }
}

/// A desk, and the way into its database.
pub(crate) async fn with_database(engine: Engine) -> (Desk, Database) {
    match engine {
        Engine::Sqlite => {
            let desk = Desk::of(Program::start_on(None).await).await;
            let file = desk.program.folder().join("showdesk.sqlite");
            (desk, Database::Sqlite(file))
        }
        Engine::Postgres => {
            let database = OwnDatabase::new().await;
            let desk = Desk::of(Program::start_on(Some(database.url())).await).await;
            (desk, Database::Postgres(database))
        }
    }
}

async fn a_row_the_database_refuses_fails_alone((desk, database): (Desk, Database)) {
    database.refuse("rings", "NEW.name = 'poison'").await;
    let poison = ring(POISON);
    let mut pushes: Vec<Vec<Json>> = (0..PUSHES).map(|push| rings(&format!("Push {push}"))).collect();
    pushes[3].insert(2, poison.clone());
    let group = group_with_poison();
    pushes[5].extend(group.clone());
    let answers = join_all(pushes.iter().map(|ops| desk.push(ops))).await;

    let mut seqs = HashSet::new();
    let failed: HashSet<&Json> = group.iter().chain([&poison]).map(|op| &op["op_id"]).collect();
    for result in answers.iter().flatten() {
        if failed.contains(&result["op_id"]) {
            assert_eq!(result["verdict"], "rejected", "{result}");
        } else {
            assert_eq!(result["verdict"], "applied", "a neighbour stands: {result}");
            assert!(seqs.insert(result["seq"].as_i64()), "each change has its own number");
        }
    }
    assert_eq!(seqs.len(), PUSHES * OPS_A_PUSH);
    let rejected = answers[3][2].clone();
    assert_eq!(rejected["error"]["code"], "internal", "{rejected}");
    let number = rejected["error"]["detail"].as_str().and_then(|detail| detail.rsplit(' ').next());
    assert!(uuid::Uuid::try_parse(number.expect("a sentence")).is_ok(), "a number for the log: {rejected}");

    let rows = desk.pull_all().await;
    let names: Vec<&Json> =
        rows.iter().filter(|((table, _), _)| table == "rings").map(|(_, row)| &row["data"]["name"]).collect();
    assert_eq!(names.len(), PUSHES * OPS_A_PUSH, "nothing of what failed is there: {names:?}");
    database.take_everything("rings").await;
    let again = desk.push_one(&poison).await;
    assert_eq!((&again["verdict"], &again["replayed"]), (&json!("rejected"), &json!(true)), "it was answered: {again}");
    assert_eq!(desk.push_one(&ring(POISON)).await["verdict"], "applied", "the desk goes on");
}

fn ring(name: &str) -> Json {
    insert("rings", &fresh(), json!({ "name": name }))
}

fn rings(name: &str) -> Vec<Json> {
    (0..OPS_A_PUSH).map(|at| ring(&format!("{name}, ring {at}"))).collect()
}

/// Two changes that belong together, one of which cannot be.
fn group_with_poison() -> Vec<Json> {
    let group = json!({"id": fresh(), "size": 2});
    ["Together", POISON].map(|name| with(ring(name), "txn", group.clone())).to_vec()
}
