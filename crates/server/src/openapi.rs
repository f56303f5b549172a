//! The contract as a document: `OpenAPI` 3.1, made from the handlers, the engine's types and the
//! descriptors of the synced tables.
//!
//! `docs/openapi.json` is this document; a test compares them, and the TypeScript types are made from it.

mod bounds;
mod foreign;
mod synced;
mod told;

use serde_json::{Value, json};
use utoipa::OpenApi;

use crate::error::{ProblemBody, Retry};
use crate::routes::{
    alerts, audience, audit, cache, charts, conflicts, desk, devices, entries, errors, first_run, import, me, metrics,
    network, notifications, pairing, people, ping, push, push_tokens, queue, report, rescue, sync, telemetry,
    templates,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Showdesk",
        description = "What phones and the desk of a livestock show say to each other. Errors are \
            application/problem+json (RFC 9457) with a stable `code`. Paths below /api/v1/admin exist on the admin \
            listener only; it also serves everything else."
    ),
    paths(
        ping::ping,
        ping::openapi,
        pairing::claim,
        pairing::status,
        sync::hello,
        sync::push,
        sync::pull,
        sync::ops_status,
        crate::live::live,
        me::me,
        me::renew_token,
        me::lease_back_numbers,
        me::my_conflicts,
        me::withdraw,
        me::answer,
        me::disagree,
        notifications::mine,
        notifications::ack,
        push_tokens::key,
        push_tokens::register,
        push_tokens::remove,
        desk::session,
        desk::overview,
        desk::activity,
        entries::list,
        entries::one,
        desk::history,
        devices::open_joining,
        devices::waiting,
        devices::approve,
        devices::refuse,
        devices::open_codes,
        devices::typed_code,
        devices::close,
        people::list,
        people::permissions,
        people::change,
        people::merge,
        people::ask_file,
        people::revoke,
        devices::joining,
        devices::wifi_qr,
        conflicts::list,
        conflicts::detail,
        conflicts::resolve,
        conflicts::ask,
        conflicts::undo,
        conflicts::reopen,
        conflicts::resolve_bulk,
        conflicts::undo_bulk,
        queue::list,
        queue::retry,
        queue::give_up,
        queue::apply,
        audit::list,
        audit::export,
        audit::run_worker,
        first_run::name_person,
        first_run::fill_demo,
        rescue::take_in,
        network::network,
        network::renew,
        network::begin_test,
        network::test,
        push::list,
        push::set_fcm,
        push::set_apns,
        push::set_web,
        push::remove_fcm,
        push::remove_apns,
        push::remove_web,
        push::test,
        notifications::list,
        notifications::send,
        audience::choices,
        notifications::reach,
        notifications::preview,
        templates::automatic,
        templates::choose_automatic,
        notifications::one,
        notifications::change,
        notifications::cancel,
        notifications::retract,
        notifications::remind,
        templates::list,
        templates::add,
        templates::change,
        templates::remove,
        cache::view,
        cache::clear,
        charts::all,
        charts::file,
        report::report,
        errors::list,
        errors::one,
        errors::change,
        alerts::rules,
        alerts::set_rule,
        alerts::remove_rule,
        alerts::events,
        alerts::settings,
        alerts::choose_settings,
        alerts::test_webhook,
        metrics::series,
        metrics::requests,
        metrics::recording,
        telemetry::tell,
        import::preview,
        import::list,
        import::detail,
        import::choose,
        import::confirm,
        import::undo,
    ),
    components(schemas(ProblemBody, Retry))
)]
struct Handlers;

/// The document, its members in alphabetical order so that its text is always the same.
pub fn document() -> Value {
    let mut document = serde_json::to_value(Handlers::openapi()).expect("the document is made of plain values");
    finish_operations(&mut document);
    let said = document["info"]["description"].as_str().expect("it is described").to_owned();
    document["info"]["description"] = json!(format!("{said}\n\n{}", bounds::table()));
    let components = document["components"].as_object_mut().expect("there are schemas");
    components.insert("parameters".to_owned(), Value::Object(told::parameters()));
    components.insert("securitySchemes".to_owned(), json!({"token": {"type": "http", "scheme": "bearer"}}));
    components.insert("responses".to_owned(), json!({"Problem": problem_response()}));
    let schemas = components["schemas"].as_object_mut().expect("there are schemas");
    foreign::write_out(schemas);
    synced::add(schemas);
    in_order(document)
}

/// Gives each operation its id and the one answer all errors share.
fn finish_operations(document: &mut Value) {
    for (path, item) in document["paths"].as_object_mut().expect("there are paths") {
        let words = path.trim_start_matches("/api/v1/").replace(['/', '-', '.'], "_").replace(['{', '}'], "");
        for (method, operation) in item.as_object_mut().expect("a path has methods") {
            operation["operationId"] = json!(format!("{method}_{words}"));
            for (status, response) in operation["responses"].as_object_mut().expect("an operation has responses") {
                if response["description"] == "" {
                    response["description"] =
                        json!(if status == "201" { "It was made." } else { "It was carried out." });
                }
            }
            operation["responses"]["default"] = json!({"$ref": "#/components/responses/Problem"});
            told::add(operation);
        }
    }
}

fn problem_response() -> Value {
    json!({
        "description": "It was not carried out; `code` says why and `retry` whether sending it again can help.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    })
}

/// A reference to a named schema.
fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The same value with the members of each object in alphabetical order, whichever map `serde_json` was built with.
fn in_order(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members.into_iter().collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(members.into_iter().map(|(name, member)| (name, in_order(member))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(in_order).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_document_in_the_repository_is_the_present_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        let text = std::fs::read_to_string(path).expect("docs/openapi.json is there");
        let kept: Value = serde_json::from_str(&text).expect("it is JSON");
        // Not assert_eq: it would print both documents.
        assert!(kept == document(), "docs/openapi.json is old: run `cargo xtask codegen` and look at what changed");
    }

    #[test]
    fn every_reference_points_to_a_schema() {
        fn walk(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => {
                    for (name, member) in members {
                        match member.as_str().filter(|_| name == "$ref") {
                            Some(target) => found.push(target.trim_start_matches('#').to_owned()),
                            None => walk(member, found),
                        }
                    }
                }
                Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
                _ => {}
            }
        }
        let document = document();
        let mut targets = Vec::new();
        walk(&document, &mut targets);
        assert!(targets.len() > 50, "{}", targets.len());
        for target in targets {
            assert!(document.pointer(&target).is_some(), "{target}");
        }
    }

    #[test]
    fn operation_ids_are_unique_and_only_a_few_need_no_token() {
        let document = document();
        let mut ids = HashSet::new();
        let mut open = Vec::new();
        for (path, item) in document["paths"].as_object().expect("paths") {
            for operation in item.as_object().expect("methods").values() {
                assert!(ids.insert(operation["operationId"].to_string()), "{operation}");
                if operation.get("security").is_none() {
                    open.push(path.as_str());
                }
            }
        }
        assert_eq!(
            open,
            [
                "/api/v1/admin/session",
                "/api/v1/openapi.json",
                "/api/v1/pairing/claim",
                "/api/v1/pairing/{pairing_id}",
                "/api/v1/ping"
            ]
        );
    }

    #[test]
    fn who_has_a_pass_may_tell_of_himself_and_nobody_else() {
        let document = document();
        let parameters = |path: &str, method: &str| document["paths"][path][method]["parameters"].to_string();
        for (path, method) in [("/api/v1/sync/push", "post"), ("/api/v1/me", "get"), ("/api/v1/admin/audit", "get")] {
            let told = parameters(path, method);
            assert!(
                told.contains("parameters/DeskPerson") && told.contains("parameters/ClientLevel"),
                "{path}: {told}"
            );
        }
        assert!(!parameters("/api/v1/pairing/claim", "post").contains("Client"));
        let level = &document["components"]["parameters"]["ClientLevel"];
        assert_eq!((&level["name"], &level["in"]), (&json!("x-client-level"), &json!("header")));
    }

    #[test]
    fn a_table_follows_from_its_descriptor() {
        let schemas = &document()["components"]["schemas"];
        let animals = &schemas["Animals"];
        assert_eq!(animals["properties"]["tag"]["maxLength"], 20);
        assert_eq!(animals["properties"]["tag"]["type"], json!(["string", "null"]));
        assert_eq!(animals["properties"]["species"]["type"], "string");
        let always = animals["required"].as_array().expect("a list");
        assert!(always.contains(&json!("species")) && !always.contains(&json!("tag")));
        assert_eq!(schemas["Shows"]["properties"]["rules"]["properties"]["class_cap"]["minimum"], 1);
        assert_eq!(schemas["NewPairing"]["properties"]["functions"]["items"], reference("Function"));
        assert_eq!(schemas["NewPairing"]["properties"]["scope"]["allOf"], json!([reference("Scope")]));
        assert_eq!(schemas["Function"]["enum"][3], "scale");
        assert!(schemas["WeighInsChange"]["properties"]["data"].to_string().contains("schemas/WeighIns"));
    }
}
