//! The published schema of records, and the one check of data against them.

use std::fmt;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::measure::{Measure, Point};
use crate::record::invalid;
use crate::{Error, Note, Result};

/// A record: written once as a serde struct, checked by its own rules, published as JSON Schema.
pub trait Record: Serialize + DeserializeOwned + JsonSchema {
    /// The name of the kind, as in the schema and in Python.
    const KIND: &'static str;

    /// Checks the record's own rules.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] with the path of the field.
    fn validate(&self) -> Result<()>;
}

impl Record for Measure {
    const KIND: &'static str = "Measure";

    fn validate(&self) -> Result<()> {
        Self::validate(self)
    }
}

impl Record for Point {
    const KIND: &'static str = "Point";

    fn validate(&self) -> Result<()> {
        if self.value.is_finite() { Ok(()) } else { Err(invalid(Self::KIND, "value", "must be a number")) }
    }
}

impl Record for Note {
    const KIND: &'static str = "Note";

    fn validate(&self) -> Result<()> {
        Ok(())
    }
}

/// A kind of record in the list of all: its name, its check and its schema.
#[derive(Clone, Copy)]
pub struct Kind {
    /// The name of the kind.
    pub name: &'static str,
    /// Data to struct to rules to data with its defaults.
    pub check: fn(Value) -> Result<Value>,
    schema: fn(&mut SchemaGenerator),
}

impl Kind {
    /// The entry of record `T`.
    pub const fn of<T: Record>() -> Self {
        Self {
            name: T::KIND,
            check: |data| {
                let record: T = check_as(&data)?;
                serde_json::to_value(&record).map_err(|problem| invalid(T::KIND, "", problem.to_string()))
            },
            schema: |generator| {
                generator.subschema_for::<T>();
            },
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Data to a record: read with the path of the field in the error, then checked by the record's own rules.
///
/// # Errors
/// [`Error::InvalidRecord`].
pub fn check_as<T: Record>(data: &Value) -> Result<T> {
    let record: T = serde_path_to_error::deserialize(data).map_err(|error| {
        let path = error.path().to_string();
        // serde_path_to_error writes "." for the record as a whole.
        let path = if path == "." { "" } else { path.as_str() };
        invalid(T::KIND, path, plainly(&error.inner().to_string()))
    })?;
    let written = serde_json::to_value(&record).map_err(|problem| invalid(T::KIND, "", problem.to_string()))?;
    as_written(T::KIND, "", data, &written)?;
    record.validate()?;
    Ok(record)
}

/// What was read must be what was given: serde takes a list for a record, field by field, and a date parser drops the time
/// of day without a word.
fn as_written(kind: &str, path: &str, given: &Value, written: &Value) -> Result<()> {
    match (given, written) {
        (Value::Array(_), Value::Object(_)) => {
            Err(invalid(kind, path, "must be a record with named fields, not a list"))
        }
        (Value::Object(given), Value::Object(written)) => given.iter().try_for_each(|(field, value)| {
            let below = if path.is_empty() { field.clone() } else { format!("{path}.{field}") };
            written.get(field).map_or(Ok(()), |there| as_written(kind, &below, value, there))
        }),
        (Value::Array(given), Value::Array(written)) => given
            .iter()
            .zip(written)
            .enumerate()
            .try_for_each(|(i, (value, there))| as_written(kind, &format!("{path}[{i}]"), value, there)),
        (Value::String(given), Value::String(written))
            if written.len() == DAY && given.len() > DAY && given.starts_with(written.as_str()) =>
        {
            Err(invalid(kind, path, format!("is a day and has no time of day: give {written:?}, not {given:?}")))
        }
        _ => Ok(()),
    }
}

/// The length of an ISO date.
const DAY: usize = 10;

/// What a deserialiser says, in words for people who know no Rust.
///
/// ```
/// use brightspot::record::plainly;
///
/// assert_eq!(plainly("invalid type: string \"3\", expected f64"), "invalid type: string \"3\", expected a number");
/// ```
pub fn plainly(message: &str) -> String {
    [
        ("expected f64", "expected a number"),
        ("expected u32", "expected a whole number"),
        ("expected u64", "expected a whole number"),
        ("expected usize", "expected a whole number"),
        ("expected a string", "expected text"),
        ("expected a sequence", "expected a list"),
        ("invalid type: null", "invalid type: nothing"),
        ("invalid type: unit value", "invalid type: nothing"),
        ("unknown variant", "unknown word"),
        ("unknown field", "there is no field"),
        ("missing field", "it lacks the field"),
    ]
    .into_iter()
    .fold(message.to_owned(), |text, (technical, plain)| text.replace(technical, plain))
}

/// One JSON Schema document with every kind of record under `$defs`, in the order of the list; what they refer to
/// follows.
pub fn schema_document(kinds: &[Kind]) -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    for kind in kinds {
        (kind.schema)(&mut generator);
    }
    let mut found = generator.take_definitions(true);
    let mut definitions = serde_json::Map::new();
    for kind in kinds {
        if let Some(schema) = found.shift_remove(kind.name) {
            definitions.insert(kind.name.to_owned(), schema);
        }
    }
    definitions.extend(found);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The records of brightspot",
        "records": kinds.iter().map(|kind| kind.name).collect::<Vec<_>>(),
        "$defs": definitions,
    })
}

/// The kind by its name.
///
/// # Errors
/// [`Error::InvalidOption`] with the names there are.
pub(crate) fn kind_named<'a>(kinds: &'a [Kind], name: &str) -> Result<&'a Kind> {
    kinds.iter().find(|kind| kind.name == name).ok_or_else(|| {
        let names: Vec<_> = kinds.iter().map(|kind| kind.name).collect();
        Error::option("kind", format!("{name:?}"), format!("one of {}", names.join(", ")))
    })
}
