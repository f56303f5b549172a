//! Schemas of types that carry none of their own: the domain's, which knows no HTTP, and free JSON.

use serde_json::{Map, Value, json};
use showdesk_domain::actor::Function;

use super::reference;

/// What people do at a show, in the order of the domain.
const FUNCTIONS: [Function; 9] = [
    Function::Admin,
    Function::Superintendent,
    Function::Checkin,
    Function::Scale,
    Function::Gate,
    Function::Clerk,
    Function::Announcer,
    Function::Vet,
    Function::Viewer,
];
/// The name under which `utoipa` lists `serde_json::Value`.
const ANY_JSON: &str = "Value";
/// A reference to it.
const ANY_JSON_REF: &str = "#/components/schemas/Value\"";

/// Writes them out wherever the engine's types have them.
pub(super) fn write_out(schemas: &mut Map<String, Value>) {
    schemas.remove(ANY_JSON);
    for schema in schemas.values_mut() {
        replace_foreign_types(schema);
    }
    schemas.insert("Function".to_owned(), json!({"type": "string", "enum": FUNCTIONS}));
    schemas.insert("Scope".to_owned(), scope_schema());
}

fn replace_foreign_types(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, property) in properties {
        let text = property.to_string();
        if text.contains(ANY_JSON_REF) {
            *property = any_json(property);
        } else if name == "scope" && text.contains("\"object\"") {
            *property = with_reference(property, "Scope");
        } else if name == "functions" && property.get("items").is_some() {
            property["items"] = reference("Function");
        }
    }
}

/// Free JSON keeps its description and says nothing of its type, null included.
fn any_json(property: &Value) -> Value {
    if property["type"] == "array" || property["type"][0] == "array" {
        let mut list = property.clone();
        list["items"] = json!({});
        return list;
    }
    let inner =
        property.get("oneOf").and_then(|either| either.as_array()?.iter().find(|one| one.get("$ref").is_some()));
    json!({"description": inner.unwrap_or(property)["description"]})
}

fn with_reference(property: &Value, name: &str) -> Value {
    let schema = if property["type"].is_array() {
        json!({"anyOf": [reference(name), {"type": "null"}]})
    } else {
        json!({"allOf": [reference(name)]})
    };
    let mut schema = schema;
    schema["description"] = property["description"].clone();
    schema
}

fn scope_schema() -> Value {
    let ids = json!({"type": "array", "items": {"type": "string", "format": "uuid"}});
    json!({
        "type": "object",
        "description": "Where a person may write. Empty ring_ids or departments mean no limit, empty exhibitor_ids mean no one.",
        "properties": {
            "ring_ids": ids,
            "departments": {"type": "array", "items": {"type": "string"}},
            "exhibitor_ids": ids,
        },
        "additionalProperties": false,
    })
}
