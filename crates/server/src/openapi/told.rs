//! Headers that any request with a pass may carry: who is at the desk, and what a phone tells of itself.

use serde_json::{Map, Value, json};
use showdesk_engine::LEVELS;

use crate::auth::{DESK_PERSON, LEVEL, PENDING, TOOK_MS, WAITING_MS};

/// The names of the parameters, in the order of the document.
const NAMES: [&str; 5] = ["DeskPerson", "ClientPending", "ClientWaitingMs", "ClientTookMs", "ClientLevel"];

/// The parameters themselves.
pub(super) fn parameters() -> Map<String, Value> {
    let count = json!({"type": "integer", "format": "int64", "minimum": 0});
    let told = [
        (
            DESK_PERSON,
            json!({"type": "string", "format": "uuid"}),
            "The profile of the person in front of the desk, who becomes the actor. On the admin listener only; \
             elsewhere it says nothing.",
        ),
        (
            PENDING,
            count.clone(),
            "How many entries the phone still holds. Like the others below it decides nothing, and \
             what cannot be read is as good as none.",
        ),
        (WAITING_MS, count.clone(), "For how long the oldest of them has waited."),
        (TOOK_MS, count, "How long the phone's last request took until the answer was there."),
        (LEVEL, json!({"type": "string", "enum": LEVELS}), "How the phone shows its page."),
    ];
    let parameter = |(key, (name, schema, description)): (&str, (&str, Value, &str))| {
        (
            key.to_owned(),
            json!({"name": name, "in": "header", "required": false, "schema": schema, "description": description}),
        )
    };
    NAMES.into_iter().zip(told).map(parameter).collect()
}

/// Adds them to an operation that wants a pass.
pub(super) fn add(operation: &mut Value) {
    if operation.get("security").is_none() {
        return;
    }
    let told = NAMES.map(|name| json!({"$ref": format!("#/components/parameters/{name}")}));
    match operation.get_mut("parameters").and_then(Value::as_array_mut) {
        Some(parameters) => parameters.extend(told),
        None => operation["parameters"] = told.into_iter().collect(),
    }
}
