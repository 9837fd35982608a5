//! One text for one content, so that a hash stands for the content.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// The canonical JSON of a record: keys sorted, no spaces, and no fields that are null, empty text or empty lists, so
/// that a field added later, and not used, changes no hash.
///
/// # Errors
/// [`Error::Numerical`] if the record cannot be written as JSON.
pub fn canonical_json<T: Serialize>(record: &T) -> Result<String> {
    let value = serde_json::to_value(record)
        .map_err(|problem| Error::Numerical { what: "canonical JSON".into(), problem: problem.to_string() })?;
    let mut text = String::new();
    write(&value, &mut text);
    Ok(text)
}

/// The SHA-256 of the canonical JSON, in hexadecimal.
///
/// # Errors
/// As [`canonical_json`].
pub fn hash_of<T: Serialize>(record: &T) -> Result<String> {
    Ok(hex(&Sha256::digest(canonical_json(record)?.as_bytes())))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().filter(|(_, value)| !is_empty(value)).collect();
            fields.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (i, (name, value)) in fields.into_iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                let _ = write!(text, "{}:", Value::from(name.as_str()));
                write(value, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_and_emptiness_do_not_count() {
        let a = canonical_json(&json!({"b": 1.5, "a": [1, null, ""], "c": null, "d": "", "e": []})).unwrap();
        assert_eq!(a, r#"{"a":[1,null,""],"b":1.5}"#);
        assert_eq!(hash_of(&json!({"x": 1, "y": 2})).unwrap(), hash_of(&json!({"y": 2, "x": 1, "z": ""})).unwrap());
        assert_ne!(hash_of(&json!({"x": 1})).unwrap(), hash_of(&json!({"x": 1.5})).unwrap());
    }

    /// FIPS 180-4 example: SHA-256 of "abc"; here of the JSON text `{}`, computed with sha256sum.
    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(hash_of(&json!({})).unwrap(), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    }
}
