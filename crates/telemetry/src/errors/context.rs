//! What a program tells around an error, without secrets and people.

use serde_json::{Map, Value};

use super::scrub::scrub;

/// Levels of objects and lists that are kept.
const DEPTH_MAX: usize = 3;
/// Members of an object, or items of a list.
const MEMBERS_MAX: usize = 24;
/// Letters of a member's name.
const NAME_CHARS_MAX: usize = 40;
/// Letters of a text.
const TEXT_CHARS_MAX: usize = 500;

/// The context with only what may be stored: texts are scrubbed like a message, a member whose name tells of a secret
/// or a person has no value, and what is large or deep is left out.
pub fn scrub_context(context: &Value) -> Map<String, Value> {
    match context {
        Value::Object(members) => of_object(members, DEPTH_MAX),
        _ => Map::new(),
    }
}

fn of_object(members: &Map<String, Value>, depth: usize) -> Map<String, Value> {
    let kept = members.iter().take(MEMBERS_MAX).filter_map(|(name, value)| {
        let name: String = scrub(name).chars().take(NAME_CHARS_MAX).collect();
        let value = match instead_of(&name) {
            Some(stands) => Value::String(stands),
            None => of_value(value, depth)?,
        };
        Some((name, value))
    });
    kept.collect()
}

fn of_value(value: &Value, depth: usize) -> Option<Value> {
    Some(match value {
        Value::String(text) => Value::String(scrub(text).chars().take(TEXT_CHARS_MAX).collect()),
        Value::Object(members) if depth > 1 => Value::Object(of_object(members, depth - 1)),
        Value::Array(items) if depth > 1 => {
            Value::Array(items.iter().take(MEMBERS_MAX).filter_map(|item| of_value(item, depth - 1)).collect())
        }
        Value::Object(_) | Value::Array(_) => return None,
        plain => plain.clone(),
    })
}

/// What stands in place of a value by its name: what a message with that name in front of a value would show.
fn instead_of(name: &str) -> Option<String> {
    let (head, tail) = (format!("{name}="), "x");
    let scrubbed = scrub(&format!("{head}{tail}"));
    let stands = scrubbed.strip_prefix(&head)?;
    (stands != tail).then(|| stands.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_secrets_and_people_have_no_value_however_it_is_written() {
        let context = json!({
            "page": "#/weigh", "version": "0.1.0", "online": true, "width": 390,
            "token": "two words", "api_key": 17, "guardian_phone": "555-0142", "name": {"first": "Maria"},
            "note": "call maria@example.org", "inner": {"password": "a b", "list": [1, "Bearer abc"]},
        });
        let expected = json!({
            "page": "#/weigh", "version": "0.1.0", "online": true, "width": 390,
            "token": "‹secret›", "api_key": "‹secret›", "guardian_phone": "‹person›", "name": "‹person›",
            "note": "call ‹email›", "inner": {"password": "‹secret›", "list": [1, "Bearer ‹secret›"]},
        });
        assert_eq!(Value::Object(scrub_context(&context)), expected);
    }

    #[test]
    fn what_is_deep_or_large_is_left_out() {
        let deep = json!({"a": {"b": {"c": {"d": 1}}}, "text": "é".repeat(5_000)});
        let kept = Value::Object(scrub_context(&deep));
        assert_eq!(kept["a"], json!({"b": {}}));
        assert_eq!(kept["text"].as_str().map(|text| text.chars().count()), Some(TEXT_CHARS_MAX));
        let wide: Map<String, Value> = (0..1_000).map(|number| (format!("member {number}"), json!(number))).collect();
        assert_eq!(scrub_context(&Value::Object(wide)).len(), MEMBERS_MAX);
        assert!(scrub_context(&json!(["a"])).is_empty());
    }
}
