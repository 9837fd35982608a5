//! What every record shares: one trait, dates and stamps, the canonical form that is hashed, and the published schema.
//!
//! A record is a serde struct with one `validate`. The list of all records stands in [`crate::cycle::RECORDS`]; the
//! JSON Schemas that other languages generate their classes from, and the check of data of any kind, come from it.

mod canonical;
mod schema;
mod stamp;

#[cfg(feature = "journal")]
pub(crate) use canonical::hex;
pub use canonical::{canonical_json, hash_of};
pub(crate) use schema::kind_named;
pub use schema::{Kind, Record, check_as, plainly, schema_document};
pub(crate) use stamp::date_of;
pub use stamp::{Stamp, parse_timestamp};

use crate::{Error, Result};

/// The rule of a record inside another: the path of its error is put below `path`, under the outer record's name.
///
/// # Errors
/// The inner error, placed.
pub(crate) fn within(record: &str, path: &str, inner: Result<()>) -> Result<()> {
    inner.map_err(|error| match error {
        Error::InvalidRecord { path: inner, problem, .. } => {
            let path = if inner.is_empty() { path.to_owned() } else { format!("{path}.{inner}") };
            Error::InvalidRecord { record: record.into(), path, problem }
        }
        other => other,
    })
}

/// An [`Error::InvalidRecord`].
pub(crate) fn invalid(record: &str, path: &str, problem: impl Into<String>) -> Error {
    Error::InvalidRecord { record: record.into(), path: path.into(), problem: problem.into() }
}
