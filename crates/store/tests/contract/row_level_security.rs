//! Row-level security alone: direct SQL in the program's role, for each kind of person, table and verb.
//!
//! What is expected is written from SECURITY.md §3 and DOMAIN.md §4, and knows nothing of the policies' texts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use showdesk_store::Db;
use showdesk_testkit::fresh_database_url;
use sqlx::error::DatabaseError;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row as _};
use uuid::Uuid;

/// Kinds of people, with team role, functions and scope: each person has a device.
const PEOPLE: &[(&str, &str, &[&str])] = &[
    ("owner", "owner", &["admin"]),
    ("admin", "editor", &["admin"]),
    ("superintendent", "editor", &["superintendent"]),
    ("checkin", "editor", &["checkin"]),
    ("scale", "editor", &["scale"]),
    ("gate", "editor", &["gate"]),
    ("clerk", "editor", &["clerk"]),
    ("announcer", "editor", &["announcer"]),
    ("vet", "editor", &["vet"]),
    // A viewer of one exhibitor, one of none, and one whom nothing that was given or listed makes more than that.
    ("parent", "viewer", &["viewer"]),
    ("guest", "viewer", &["viewer"]),
    ("judge", "viewer", &["scale", "superintendent", "admin"]),
];
/// Rows of tables of which everybody has one.
const EACH: i64 = 12;
const OWN_EXHIBITOR: Uuid = Uuid::from_u128(0x60);
const OWN_ANIMAL: Uuid = Uuid::from_u128(0xa0);
const OWN_ENTRY: Uuid = Uuid::from_u128(0xe0);

/// What one kind of people may do with a table: how many rows they see, and which of the other verbs reach a row.
struct Cells {
    table: &'static str,
    /// Rows that admins, superintendents, office staff, other staff, the parent, other viewers see. A stranger: none.
    seen: [i64; 6],
    /// Who may add a row as it stands there, change one, delete one: `a`dmins, `m`embers their own, nobody.
    verbs: [&'static str; 3],
}

const fn cells(table: &'static str, seen: [i64; 6], verbs: [&'static str; 3]) -> Cells {
    Cells { table, seen, verbs }
}

const NOBODY: [&str; 3] = ["", "", ""];
const MATRIX: &[Cells] = &[
    // Synced rows: staff see all, viewers what is public and their own. Only the writer writes them.
    cells("shows", [1, 1, 1, 1, 1, 1], NOBODY),
    cells("rings", [1, 1, 1, 1, 1, 1], NOBODY),
    cells("classes", [1, 1, 1, 1, 1, 1], NOBODY),
    cells("class_calls", [1, 1, 1, 1, 1, 1], NOBODY),
    cells("exhibitors", [2, 2, 2, 2, 2, 2], NOBODY),
    cells("animals", [2, 2, 2, 2, 2, 2], NOBODY),
    cells("entries", [2, 2, 2, 2, 2, 2], NOBODY),
    cells("weigh_ins", [2, 2, 2, 2, 1, 0], NOBODY),
    cells("placings", [2, 2, 2, 2, 1, 0], NOBODY),
    cells("announcements", [3, 3, 3, 3, 2, 1], NOBODY),
    cells("sync_changes", [17, 17, 17, 17, 14, 11], NOBODY),
    cells("record_history", [4, 4, 4, 4, 2, 0], NOBODY),
    cells("record_aliases", [1, 1, 1, 1, 0, 0], NOBODY),
    cells("sync_meta", [1, 1, 1, 1, 1, 1], NOBODY),
    cells("installation", [1, 1, 1, 1, 1, 1], NOBODY),
    // One's own ops and clashes; those who run the show see all, superintendents all clashes.
    cells("sync_queue", [EACH, 1, 1, 1, 1, 1], ["m", "", ""]),
    cells("sync_conflicts", [EACH, EACH, 1, 1, 1, 1], NOBODY),
    cells("sync_conflict_records", [EACH, EACH, 1, 1, 1, 1], NOBODY),
    cells("conflict_questions", [EACH, EACH, 1, 1, 1, 1], ["a", "m", ""]),
    cells("decision_keys", [1, 0, 0, 0, 0, 0], NOBODY),
    cells("bulk_decisions", [EACH, 0, 0, 0, 0, 0], ["a", "a", ""]),
    cells("imports", [EACH, 0, 0, 0, 0, 0], ["a", "a", ""]),
    // The record of what was done: members add in their own name, those who run the show read.
    cells("audit_log", [EACH, 0, 0, 0, 0, 0], ["m", "", ""]),
    // People and devices.
    cells("profiles", [EACH, EACH, EACH, EACH, 1, 1], ["a", "a", ""]),
    cells("teams", [1, 1, 1, 1, 1, 1], NOBODY),
    cells("team_members", [EACH, 1, 1, 1, 1, 1], ["a", "a", ""]),
    cells("devices", [EACH, EACH, EACH, EACH, 1, 1], ["a", "a", ""]),
    cells("device_tokens", [EACH, 1, 1, 1, 1, 1], ["m", "m", ""]),
    cells("device_absences", [1, 1, 1, 1, 0, 0], NOBODY),
    cells("back_number_leases", [EACH, EACH, EACH, 1, 1, 1], ["m", "m", ""]),
    cells("pairings", [1, 0, 0, 0, 0, 0], ["a", "a", "a"]),
    cells("pairing_tries", [1, 0, 0, 0, 0, 0], ["a", "a", "a"]),
    cells("pairing_claims", [1, 0, 0, 0, 0, 0], ["x", "a", ""]),
    cells("desks", [1, 0, 0, 0, 0, 0], NOBODY),
    // Messages, phones they go to, cached answers by their scope.
    cells("push_tokens", [1, 1, 1, 1, 1, 1], ["m", "m", "m"]),
    cells("notifications", [EACH, 1, 1, 1, 1, 1], ["a", "", ""]),
    cells("notification_recipients", [EACH, 1, 1, 1, 1, 1], NOBODY),
    cells("notification_deliveries", [1, 0, 0, 0, 0, 0], NOBODY),
    cells("notification_clock", [1, 1, 1, 1, 1, 1], NOBODY),
    cells("notification_templates", [1, 0, 0, 0, 0, 0], ["a", "a", "a"]),
    cells("notification_settings", [1, 0, 0, 0, 0, 0], ["a", "a", ""]),
    cells("cache_entries", [3, 3, 3, 2, 2, 1], NOBODY),
    // What only the program itself reads.
    cells("server_keys", [0; 6], NOBODY),
    cells("secrets", [0; 6], NOBODY),
    cells("vault_requests", [0; 6], NOBODY),
    cells("authority", [0; 6], NOBODY),
    cells("known_origins", [0; 6], NOBODY),
    cells("push_providers", [0; 6], NOBODY),
    cells("_sqlx_migrations", [0; 6], NOBODY),
];

fn id(of: &str, number: usize) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{of} {number}").as_bytes())
}

fn group(kind: &str) -> usize {
    match kind {
        "owner" | "admin" => 0,
        "superintendent" => 1,
        "checkin" => 2,
        "parent" => 4,
        "guest" | "judge" => 5,
        _ => 3,
    }
}

/// A database with rows in every table, and the superuser's connection.
struct Filled {
    url: String,
    owner: PgConnection,
}

impl Filled {
    async fn new() -> Self {
        let url = fresh_database_url().await;
        Db::open_postgres(&url).await.unwrap().close().await;
        let mut owner = PgConnection::connect(&url).await.unwrap();
        run(&mut owner, "SET session_replication_role = replica").await;
        let mut filled = Self { url, owner };
        filled.fill_show().await;
        for number in 0..PEOPLE.len() {
            filled.fill_person(number).await;
        }
        filled.fill_rest().await;
        filled
    }

    /// Adds a row; columns that must have a value and are not given get one of their type.
    async fn put(&mut self, table: &str, given: Json) {
        let sql = "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema() \
                   AND table_name = $1 AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'";
        let mut row = BTreeMap::new();
        for column in sqlx::query(sql).bind(table).fetch_all(&mut self.owner).await.unwrap() {
            let (name, kind): (String, String) = (column.get(0), column.get(1));
            let value = match kind.as_str() {
                "uuid" => json!(Uuid::new_v4()),
                "timestamp with time zone" => json!("2026-08-06T09:00:00Z"),
                "boolean" => json!(false),
                "jsonb" => json!({}),
                "bytea" => json!(format!("\\x{}", Uuid::new_v4().simple())),
                "bigint" | "smallint" | "integer" => json!(1),
                _ => json!("x"),
            };
            row.insert(name, value);
        }
        row.extend(given.as_object().unwrap().clone());
        let names: Vec<&str> = row.keys().map(String::as_str).collect();
        let names = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let sql = format!("INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_record(null::{table}, $1)");
        let added = sqlx::query(AssertSqlSafe(sql)).bind(sqlx::types::Json(&row)).execute(&mut self.owner).await;
        added.unwrap_or_else(|error| panic!("{table}: {error}"));
    }

    /// A synced row, and its place in the feed.
    async fn synced(&mut self, table: &'static str, row: Uuid, public: bool, data: Json) {
        let seq: i64 =
            sqlx::query("SELECT count(*) + 1 FROM sync_changes").fetch_one(&mut self.owner).await.unwrap().get(0);
        let mut given = data.clone();
        given["id"] = json!(row);
        self.put(table, given).await;
        let feed = json!({
            "seq": seq, "table_name": table, "record_id": row, "public": public, "ever_public": public,
            "data": data.to_string(),
        });
        self.put("sync_changes", feed).await;
        if matches!(table, "animals" | "entries") {
            let history = json!({"seq": seq, "table_name": table, "record_id": row, "snapshot": data});
            self.put("record_history", history).await;
        }
    }

    async fn fill_show(&mut self) {
        for (number, table) in ["shows", "rings", "classes", "class_calls"].into_iter().enumerate() {
            self.synced(table, id(table, number), true, json!({})).await;
        }
        let other = |of| id(of, 1);
        let of = |exhibitor: Uuid| json!({"exhibitor_id": exhibitor});
        self.synced("exhibitors", OWN_EXHIBITOR, true, json!({})).await;
        self.synced("exhibitors", other("exhibitor"), true, json!({})).await;
        self.synced("animals", OWN_ANIMAL, true, of(OWN_EXHIBITOR)).await;
        self.synced("animals", other("animal"), true, of(other("exhibitor"))).await;
        self.synced("entries", OWN_ENTRY, true, of(OWN_EXHIBITOR)).await;
        self.synced("entries", other("entry"), true, of(other("exhibitor"))).await;
        self.synced("weigh_ins", other("own weight"), false, json!({"animal_id": OWN_ANIMAL})).await;
        self.synced("weigh_ins", other("weight"), false, json!({"animal_id": other("animal")})).await;
        self.synced("placings", other("own place"), false, json!({"entry_id": OWN_ENTRY})).await;
        self.synced("placings", other("place"), false, json!({"entry_id": other("entry")})).await;
        let to = |audience: Json| json!({"audience": audience});
        self.synced("announcements", other("to all"), true, to(json!({}))).await;
        self.synced("announcements", other("to one"), false, to(json!({"exhibitor_ids": [OWN_EXHIBITOR]}))).await;
        self.synced("announcements", other("to the gate"), false, to(json!({"functions": ["gate"]}))).await;
    }

    async fn fill_person(&mut self, number: usize) {
        let (kind, role, functions) = PEOPLE[number];
        let (person, device) = (id("person", number), id("device", number));
        let (queued, clash) = (id("op", number), id("clash", number));
        let own: &[Uuid] = if kind == "parent" { &[OWN_EXHIBITOR] } else { &[] };
        let scope = json!({"ring_ids": [], "departments": [], "exhibitor_ids": own});
        // What is given makes no viewer more than that.
        let permissions =
            json!({"granted": if role == "viewer" { vec!["see_contacts"] } else { vec![] }, "withheld": []});
        let member = json!({
            "profile_id": person, "role": role, "functions": functions, "scope": scope, "permissions": permissions,
        });
        let by = |column: &str| json!({column: person});
        self.put("profiles", json!({"id": person})).await;
        self.put("team_members", member).await;
        self.put("devices", json!({"id": device, "profile_id": person})).await;
        self.put("device_tokens", json!({"device_id": device})).await;
        self.put("sync_queue", json!({"id": queued, "user_id": person, "device_id": device})).await;
        self.put("sync_conflicts", json!({"id": clash, "user_id": person, "device_id": device})).await;
        self.put("sync_conflict_records", json!({"conflict_id": clash})).await;
        self.put("conflict_questions", json!({"conflict_id": clash, "asked_by": person})).await;
        for (table, column) in [("bulk_decisions", "decided_by"), ("imports", "created_by"), ("audit_log", "actor")] {
            self.put(table, by(column)).await;
        }
        let token =
            json!({"user_id": person, "device_id": device, "platform": "web", "token": format!("token {number}")});
        self.put("push_tokens", token).await;
        let first = 20 * i64::try_from(number).unwrap() + 1;
        self.put("back_number_leases", json!({"first_number": first, "user_id": person, "device_id": device})).await;
        let message = id("message", number);
        let notification = json!({
            "id": message, "user_id": person, "created_by": person, "status": "pending", "priority": "normal",
        });
        self.put("notifications", notification).await;
        let recipient = json!({"notification_id": message, "user_id": person, "state": "waiting"});
        self.put("notification_recipients", recipient).await;
    }

    async fn fill_rest(&mut self) {
        self.put("teams", json!({})).await;
        self.put("sync_meta", json!({})).await;
        self.put("installation", json!({})).await;
        for table in ["record_aliases", "decision_keys", "device_absences", "pairings", "pairing_tries", "desks"] {
            self.put(table, json!({})).await;
        }
        self.put("pairing_claims", json!({"status": "waiting"})).await;
        self.put("notification_deliveries", json!({"status": "waiting", "channel": "local"})).await;
        self.put("notification_templates", json!({"priority": "high"})).await;
        self.put("notification_settings", json!({})).await;
        self.put("push_providers", json!({"provider": "fcm"})).await;
        let parent = PEOPLE.iter().position(|(kind, ..)| *kind == "parent").unwrap();
        for scope in ["public", "staff", "office", &format!("user:{}", id("person", parent))] {
            self.put("cache_entries", json!({"scope": scope, "key": scope})).await;
        }
        for table in ["server_keys", "secrets", "vault_requests", "authority", "known_origins"] {
            self.put(table, json!({})).await;
        }
    }

    /// The rows of a table as texts, of which this person's own is the first.
    async fn rows(&mut self, table: &str, number: Option<usize>) -> Vec<Json> {
        let sql = AssertSqlSafe(format!("SELECT to_jsonb(t) FROM {table} t"));
        let rows = sqlx::query(sql).fetch_all(&mut self.owner).await.unwrap();
        let mut rows: Vec<Json> = rows.into_iter().map(|row| row.get::<sqlx::types::Json<Json>, _>(0).0).collect();
        if let Some(number) = number {
            let own = [id("person", number), id("device", number), id("clash", number), id("message", number)];
            let own = own.map(|id| json!(id));
            rows.sort_by_key(|row| !row.as_object().unwrap().values().any(|value| own.contains(value)));
        }
        rows
    }

    /// The cells in which the server allows something else than the table above, and how many were looked at.
    async fn differences(&mut self) -> (Vec<String>, usize) {
        let (mut found, mut looked_at) = (Vec::new(), 0);
        let mut app = PgConnection::connect(&self.url).await.unwrap();
        run(&mut app, "SET ROLE showdesk_app").await;
        let strangers = [("nobody", None), ("somebody unknown", None)];
        let people = PEOPLE.iter().enumerate().map(|(number, (kind, ..))| (*kind, Some(number)));
        for (kind, number) in people.chain(strangers) {
            let user = match (number, kind) {
                (Some(number), _) => id("person", number).to_string(),
                (None, "nobody") => String::new(),
                (None, _) => Uuid::new_v4().to_string(),
            };
            for cells in MATRIX {
                let expected = number.map_or(0, |_| cells.seen[group(kind)]);
                let seen = count(&mut app, &user, cells.table).await;
                if seen != expected {
                    found.push(format!("{kind} sees {seen} instead of {expected} rows of {}", cells.table));
                }
                looked_at += 4;
                let rows = self.rows(cells.table, number).await;
                for (verb, allowed_to) in ["INSERT", "UPDATE", "DELETE"].into_iter().zip(cells.verbs) {
                    let expected = match allowed_to {
                        "a" => number.is_some() && group(kind) == 0,
                        "m" => number.is_some(),
                        "x" => true,
                        _ => false,
                    };
                    let reached = reach(&mut app, &user, cells.table, verb, rows.first()).await;
                    if reached != expected {
                        found.push(format!("{kind} {verb} {}: {reached}", cells.table));
                    }
                    // Nothing is added in somebody else's name, and no row of somebody else is changed or deleted.
                    if allowed_to == "m" {
                        let others = reach(&mut app, &user, cells.table, verb, rows.last()).await;
                        let may = cells.table == "device_tokens" && number.is_some() && group(kind) == 0;
                        if others != may {
                            found.push(format!("{kind} {verb} {} of somebody else: {others}", cells.table));
                        }
                        looked_at += 1;
                    }
                }
            }
        }
        (found, looked_at)
    }
}

async fn run(connection: &mut PgConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

async fn begin(app: &mut PgConnection, user: &str) {
    run(app, "BEGIN").await;
    sqlx::query("SELECT set_config('app.user_id', $1, true)").bind(user).execute(app).await.unwrap();
}

/// How many rows the person sees; none where the role may not even look.
async fn count(app: &mut PgConnection, user: &str, table: &str) -> i64 {
    begin(app, user).await;
    let rows = sqlx::query(AssertSqlSafe(format!("SELECT count(*) FROM {table}"))).fetch_one(&mut *app).await;
    run(app, "ROLLBACK").await;
    match rows {
        Ok(row) => row.get(0),
        Err(error) => {
            assert!(is_denied(&error), "{table}: {error}");
            0
        }
    }
}

/// Whether the verb reaches that row. Adding a row that is there passes the policies before it meets the row.
async fn reach(app: &mut PgConnection, user: &str, table: &str, verb: &str, row: Option<&Json>) -> bool {
    let sql = match verb {
        "INSERT" => format!(
            "INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM jsonb_populate_record(null::{table}, $1)"
        ),
        "UPDATE" => {
            let column = row.and_then(Json::as_object).and_then(|row| row.keys().next()).unwrap();
            format!("UPDATE {table} t SET \"{column}\" = t.\"{column}\" WHERE to_jsonb(t) = $1")
        }
        _ => format!("DELETE FROM {table} t WHERE to_jsonb(t) = $1"),
    };
    begin(app, user).await;
    let done = sqlx::query(AssertSqlSafe(sql)).bind(sqlx::types::Json(row.unwrap())).execute(&mut *app).await;
    run(app, "ROLLBACK").await;
    match done {
        Ok(done) => done.rows_affected() > 0,
        Err(error) if is_denied(&error) => false,
        Err(error) => {
            let code = error.as_database_error().and_then(|error| error.code().map(Cow::into_owned));
            assert_eq!(code.as_deref(), Some("23505"), "{verb} {table}: {error}");
            true
        }
    }
}

fn is_denied(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(DatabaseError::code).is_some_and(|code| code == "42501")
}

#[test]
fn nobody_reaches_a_row_that_is_not_theirs_to_reach() {
    showdesk_testkit::run_plain(async {
        let mut filled = Filled::new().await;
        let (found, looked_at) = filled.differences().await;
        assert_eq!(found, [] as [String; 0], "of {looked_at} cells");
        assert!(looked_at > 2_000, "{looked_at}");
    });
}

#[test]
fn every_table_is_in_the_matrix() {
    showdesk_testkit::run_plain(async {
        let url = fresh_database_url().await;
        Db::open_postgres(&url).await.unwrap().close().await;
        let mut owner = PgConnection::connect(&url).await.unwrap();
        let sql = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1";
        let rows = sqlx::query(sql).fetch_all(&mut owner).await.unwrap();
        let tables: Vec<String> = rows.into_iter().map(|row| row.get(0)).collect();
        let mut known: Vec<&str> = MATRIX.iter().map(|cells| cells.table).collect();
        known.sort_unstable();
        assert_eq!(tables, known);
    });
}

#[test]
fn a_policy_that_lets_too_much_through_is_noticed() {
    showdesk_testkit::run_plain(async {
        let mut filled = Filled::new().await;
        run(&mut filled.owner, "DROP POLICY see ON weigh_ins").await;
        run(&mut filled.owner, "CREATE POLICY see ON weigh_ins FOR SELECT TO showdesk_app USING (true)").await;
        run(&mut filled.owner, "DROP POLICY add ON audit_log").await;
        let (found, _) = filled.differences().await;
        assert!(found.contains(&"guest sees 2 instead of 0 rows of weigh_ins".to_owned()), "{found:?}");
        assert!(found.contains(&"scale INSERT audit_log: false".to_owned()), "{found:?}");
    });
}

#[test]
fn a_table_without_its_guard_keeps_the_desk_from_starting() {
    showdesk_testkit::run_plain(async {
        for sql in ["ALTER TABLE animals NO FORCE ROW LEVEL SECURITY", "ALTER TABLE animals DISABLE ROW LEVEL SECURITY"]
        {
            let url = fresh_database_url().await;
            Db::open_postgres(&url).await.unwrap().close().await;
            run(&mut PgConnection::connect(&url).await.unwrap(), sql).await;
            let refused = Db::open_postgres(&url).await.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(refused.contains("row-level security is not in force on: animals"), "{refused}");
        }
    });
}

#[test]
fn the_writer_writes_in_the_name_of_members_only_and_changes_nobodys_rights() {
    showdesk_testkit::run_plain(async {
        let mut filled = Filled::new().await;
        let mut writer = PgConnection::connect(&filled.url).await.unwrap();
        run(&mut writer, "SET ROLE showdesk_writer").await;
        for (table, actor) in [
            ("animals", "updated_by"),
            ("sync_queue", "user_id"),
            ("sync_conflicts", "user_id"),
            ("sync_changes", "changed_by"),
            ("record_history", "actor"),
            ("audit_log", "actor"),
        ] {
            let mut row = filled.rows(table, None).await.remove(0);
            row[actor] = json!(id("person", 0));
            assert!(reach(&mut writer, "", table, "INSERT", Some(&row)).await, "{table} by a member");
            row[actor] = json!(Uuid::new_v4());
            assert!(!reach(&mut writer, "", table, "INSERT", Some(&row)).await, "{table} by a stranger");
        }
        for sql in [
            "UPDATE team_members SET role = 'owner'",
            "UPDATE devices SET revoked_at = NULL",
            "UPDATE devices SET profile_id = id",
            "UPDATE audit_log SET reason = 'x'",
            "DELETE FROM sync_queue",
            "SELECT * FROM device_tokens",
            "SELECT * FROM secrets",
            "CREATE TABLE mine (id int)",
        ] {
            let refused = sqlx::raw_sql(sql).execute(&mut writer).await;
            assert!(refused.is_err_and(|error| is_denied(&error)), "{sql}");
        }
        let mut worker = PgConnection::connect(&filled.url).await.unwrap();
        run(&mut worker, "SET ROLE showdesk_worker").await;
        for sql in ["SELECT * FROM animals", "SELECT * FROM team_members", "SELECT * FROM sync_queue"] {
            let refused = sqlx::raw_sql(sql).execute(&mut worker).await;
            assert!(refused.is_err_and(|error| is_denied(&error)), "{sql}");
        }
    });
}
