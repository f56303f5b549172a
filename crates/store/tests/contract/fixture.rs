//! A small show with a desk, to hang rows of the tests on.

use chrono::{DateTime, TimeZone, Utc};
use showdesk_domain::actor::{DeviceKind, Function, Permissions, Role, Scope};
use showdesk_domain::ids::{DeviceId, OpId, PersonId, RecordId, Version};
use showdesk_domain::queue::{QueueStatus, QueuedOp};
use showdesk_domain::record::{Mark, Provenance, Record};
use showdesk_domain::schema::known_table;
use showdesk_domain::value::Value;
use showdesk_store::db::Seat;
use showdesk_store::people::{DeviceRow, MemberRow, ProfileRow, Sighting, TeamRow};
use showdesk_store::{Db, people, records};
use uuid::Uuid;

/// What every test finds in its store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Show {
    pub(crate) id: Uuid,
    pub(crate) team: Uuid,
    pub(crate) person: PersonId,
    pub(crate) device: DeviceId,
}

/// A moment, so many seconds after the show began.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(1_786_000_000_123 + seconds * 1_000).unwrap()
}

/// A request of a device that told nothing else.
pub(crate) fn sighting(device: DeviceId, seconds: i64) -> Sighting {
    Sighting {
        device,
        at: at(seconds),
        unsent: None,
        skew_ms: None,
        pulled_seq: None,
        cursor_seq: None,
        oldest_unsent_at: None,
        level: None,
    }
}

/// A device of a person, that joined at the beginning.
pub(crate) fn device(id: DeviceId, person: PersonId, kind: DeviceKind, name: &str) -> DeviceRow {
    DeviceRow { platform: Some("web".to_owned()), ..DeviceRow::joining(id, person, kind, name.to_owned(), at(0)) }
}

/// Fills an empty store.
pub(crate) async fn fill(db: &Db) -> Show {
    let show = Show {
        id: Uuid::now_v7(),
        team: Uuid::now_v7(),
        person: PersonId(Uuid::now_v7()),
        device: DeviceId(Uuid::now_v7()),
    };
    let mut tx = db.begin_write(Seat::Owner).await.unwrap();
    let profile = ProfileRow { id: show.person, name: "Ana Stone".to_owned(), created_at: at(0) };
    people::add_profile(&mut tx, &profile).await.unwrap();
    let team = TeamRow { id: show.team, name: "County fair".to_owned(), created_at: at(0) };
    people::add_team(&mut tx, &team).await.unwrap();
    let member = MemberRow {
        team_id: show.team,
        person: show.person,
        role: Role::Owner,
        functions: vec![Function::Admin],
        scope: Scope::default(),
        permissions: Permissions::default(),
        created_at: at(0),
    };
    people::add_member(&mut tx, &member).await.unwrap();
    people::add_device(&mut tx, &device(show.device, show.person, DeviceKind::Desk, "Desk")).await.unwrap();
    let mut row = show.record("shows", show.id, &[("name", text("County fair")), ("timezone", text("UTC"))]);
    row.values[known_table("shows").index("rules.class_cap")] = Value::Int(22);
    records::save(&mut tx, &[&row]).await.unwrap();
    tx.commit().await.unwrap();
    show
}

impl Show {
    /// A row with its defaults and these values.
    pub(crate) fn record(&self, table: &str, id: Uuid, values: &[(&str, Value)]) -> Record {
        let table = known_table(table);
        let mut record = Record {
            table,
            id: RecordId(id),
            show_id: self.id,
            version: Version(1),
            created_at: at(1),
            updated_at: at(1),
            updated_by: Some(self.person),
            device_id: Some(self.device),
            deleted_at: None,
            values: table.fields.iter().map(|field| field.default.clone()).collect(),
            provenance: Provenance::new(),
        };
        for (path, value) in values {
            record.values[table.index(path)] = value.clone();
            record.provenance.insert((*path).to_owned(), Mark { version: Version(1), rank: 4, by: Some(self.person) });
        }
        record
    }

    /// An exhibitor.
    pub(crate) fn exhibitor(&self, number: i64, first_name: &str, last_name: &str) -> Record {
        let values =
            [("back_number", Value::Int(number)), ("first_name", text(first_name)), ("last_name", text(last_name))];
        self.record("exhibitors", Uuid::now_v7(), &values)
    }

    /// A pig.
    pub(crate) fn animal(&self, exhibitor: &Record, tag: &str) -> Record {
        let values = [("exhibitor_id", Value::Id(exhibitor.id.0)), ("species", text("swine")), ("tag", text(tag))];
        self.record("animals", Uuid::now_v7(), &values)
    }

    /// A class.
    pub(crate) fn class(&self, code: &str, name: &str) -> Record {
        self.record("classes", Uuid::now_v7(), &[("code", text(code)), ("name", text(name))])
    }

    /// An op that waits, with something in every column.
    pub(crate) fn op(&self, record: Uuid, device_seq: i64) -> QueuedOp {
        QueuedOp {
            id: OpId(Uuid::now_v7()),
            user_id: self.person,
            device_id: self.device,
            incarnation: Uuid::now_v7(),
            device_seq,
            table_name: "animals".to_owned(),
            record_id: Some(RecordId(record)),
            operation: "update".to_owned(),
            data: serde_json::json!({"pen": "B12"}),
            base: Some(serde_json::json!({"pen": null})),
            version: Version(3),
            prev_op_id: Some(OpId(Uuid::now_v7())),
            txn: Some(serde_json::json!({"id": Uuid::now_v7(), "size": 2})),
            epoch: Some(Uuid::now_v7()),
            reason: Some("moved".to_owned()),
            payload_sha256: "ab".repeat(32),
            status: QueueStatus::Pending,
            verdict: None,
            conflict_id: None,
            waiting_for: Some(serde_json::json!({"op_id": Uuid::now_v7()})),
            waiting_on: Some(Uuid::now_v7()),
            result_version: None,
            result_seq: None,
            error: None,
            decision: None,
            attempts: 1,
            lease_until: Some(at(60)),
            created_at: at(device_seq),
            processed_at: None,
            client_time: Some(at(-5)),
            skew_ms: -5_000,
        }
    }
}

/// A text value.
pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
