//! Reading what a newer version of the library wrote under the same schema version: fields that this version does not know
//! are passed over. The stored bytes keep them.

use std::sync::OnceLock;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Reads data of a kind of the published schema (`Event`, or a record); fields that the schema does not have are passed over.
///
/// # Errors
/// In words, with the path: what is missing or of another type is no question of versions.
pub(super) fn read<T: DeserializeOwned>(kind: &str, data: Value) -> Result<T, String> {
    // Nearly all that is read was written by this version, and needs no second look.
    match serde_path_to_error::deserialize(&data) {
        Ok(found) => Ok(found),
        Err(_) => serde_path_to_error::deserialize(known(kind, data)).map_err(|problem| problem.to_string()),
    }
}

/// The data without the fields that this version does not know.
pub(super) fn known(kind: &str, mut data: Value) -> Value {
    if let Some(schema) = definitions().get(kind) {
        prune(&mut data, schema);
    }
    data
}

fn definitions() -> &'static Map<String, Value> {
    static ALL: OnceLock<Map<String, Value>> = OnceLock::new();
    ALL.get_or_init(|| {
        let defs = |document: Value| document.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut all = defs(crate::cycle::schemas());
        all.extend(defs(super::folder::schema()));
        all
    })
}

fn prune(data: &mut Value, schema: &Value) {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        if let Some(named) = definitions().get(name) {
            prune(data, named);
        }
        return;
    }
    let choices = ["anyOf", "oneOf"].iter().filter_map(|word| schema.get(word)?.as_array()).flatten();
    if let Some(choice) = choices.into_iter().find(|choice| is_meant(data, choice)) {
        return prune(data, choice);
    }
    match data {
        Value::Array(items) => {
            if let Some(each) = schema.get("items") {
                for item in items {
                    prune(item, each);
                }
            }
        }
        Value::Object(fields) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let others = schema.get("additionalProperties");
            if others == Some(&Value::Bool(false)) {
                fields.retain(|name, _| properties.is_some_and(|all| all.contains_key(name)));
            }
            for (name, value) in fields {
                let of_field = properties.and_then(|all| all.get(name)).or(others.filter(|schema| schema.is_object()));
                if let Some(schema) = of_field {
                    prune(value, schema);
                }
            }
        }
        _ => {}
    }
}

/// Whether data are of this one of several kinds: by the word that tells them apart, or else as a thing that is there.
fn is_meant(data: &Value, choice: &Value) -> bool {
    match choice.pointer("/properties/kind/const") {
        Some(word) => data.get("kind") == Some(word),
        None => choice.get("type").and_then(Value::as_str) != Some("null") && !data.is_null(),
    }
}
