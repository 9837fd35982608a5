//! Records of any other kind: filed whole, each version beside the one that it supersedes.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::event::{EVENT_SCHEMA, Stored};
use super::store::{Select, append, events_of, read, write};
use super::{Journal, bytes_of, fold, known};
use crate::cycle::{Cycle, RECORDS, check};
use crate::record::{Record, Stamp};
use crate::{Error, Result};

const ADDED: &str = "added";
const REVISED: &str = "revised";

/// A record as it is filed in a journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Filed {
    /// Its id.
    pub id: String,
    /// The kind of record, as in [`RECORDS`].
    pub kind: String,
    /// Its version, from 1.
    pub version: u64,
    /// The version that this one stands for from now on; `None` for the first.
    pub supersedes: Option<u64>,
    /// Who filed this version.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The record, as it was stored.
    pub record: Value,
}

impl Filed {
    /// The record as this version knows it: without fields that a newer one added.
    pub fn known(&self) -> Value {
        known::known(&self.kind, self.record.clone())
    }
}

impl Journal {
    /// Files a record of any kind but a cycle, which enters by its moves: under a new id its first version, under that
    /// of a filed record the version that supersedes it.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a kind that cannot be filed, a blank id, or an id of a record of another kind;
    /// [`Error::InvalidRecord`] for data that break the record's rules; [`Error::Conflict`] if the stamp expects another
    /// version; [`Error::Store`].
    ///
    /// ```
    /// use brightspot::journal::Journal;
    /// use brightspot::record::{Stamp, parse_timestamp};
    /// use serde_json::json;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let mut journal = Journal::open(folder.path().join("plc.db"))?;
    /// let kim = Stamp::new("Kim", parse_timestamp("2026-09-01")?);
    /// journal.add("reading", "Measure", json!({"name": "reading"}), &kim)?;
    /// let filed = journal.add("reading", "Measure", json!({"name": "reading", "direction": "up"}), &kim.expecting(1))?;
    /// assert_eq!((filed.version, filed.supersedes), (2, Some(1)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add(&mut self, id: &str, kind: &str, data: Value, stamp: &Stamp) -> Result<Filed> {
        if kind == Cycle::KIND {
            let allowed = "any other kind: a cycle enters a journal by its moves, of which draft is the first";
            return Err(Error::option("kind", format!("{kind:?}"), allowed));
        }
        let record = check(kind, data)?;
        if id.trim().is_empty() || record.get("id").and_then(Value::as_str).is_some_and(|own| own != id) {
            return Err(Error::option("id", format!("{id:?}"), "the record's own id, or text that is not blank"));
        }
        write(&mut *self.store, |ledger| {
            let older = events_of(ledger, id)?;
            if let Some(other) = older.last().filter(|other| kind_filed(other) != Some(kind)) {
                let allowed = format!("another id: it is that of a record of another kind ({})", other.kind);
                return Err(Error::option("id", format!("{id:?}"), allowed));
            }
            let seen = older.len() as u64;
            if let Some(expected) = stamp.expected.filter(|&expected| expected != seen) {
                return Err(Error::Conflict { record: format!("{kind} {id:?}"), expected, found: seen });
            }
            let supersedes = (seen > 0).then_some(seen);
            let bytes = bytes_of(&json!({ "schema": EVENT_SCHEMA, "supersedes": supersedes, "record": record }))?;
            let what = if seen == 0 { ADDED } else { REVISED };
            append(ledger, id, &format!("{}.{what}", snake(kind)), seen + 1, stamp, bytes)?;
            let (id, kind, by) = (id.to_owned(), kind.to_owned(), stamp.by.clone());
            Ok(Filed { id, kind, version: seen + 1, supersedes, by, at: stamp.at, record })
        })
    }

    /// A filed record as it stands, or as it stood at a moment.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NewerSchema`]; [`Error::Store`].
    pub fn record(&self, id: &str, as_of: Option<Timestamp>) -> Result<Filed> {
        let found = fold::by_moment(self.stored(id)?, as_of)?.pop().as_ref().map(filed).transpose()?.flatten();
        found.ok_or_else(|| Error::NotFound { kind: "record".into(), id: id.into() })
    }

    /// All filed records of a kind as they stand, or as they stood at a moment, in the order in which they began.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a kind that does not exist; [`Error::NewerSchema`]; [`Error::Store`].
    pub fn records(&self, kind: &str, as_of: Option<Timestamp>) -> Result<Vec<Filed>> {
        crate::record::kind_named(RECORDS, kind)?;
        let mut order: Vec<String> = vec![];
        read(&*self.store, |ledger| {
            ledger.each(Select::Kind(&format!("{}.{ADDED}", snake(kind))), &mut |stored| {
                order.push(stored.record);
                Ok(())
            })?;
            let mut found = vec![];
            for id in &order {
                let last = fold::by_moment(events_of(ledger, id)?, as_of)?.pop();
                found.extend(last.as_ref().map(filed).transpose()?.flatten());
            }
            Ok(found)
        })
    }
}

/// The record that an event filed; `None` for an event of a cycle.
fn filed(stored: &Stored) -> Result<Option<Filed>> {
    let Some(kind) = kind_filed(stored) else { return Ok(None) };
    let mut envelope = stored.known_envelope()?;
    Ok(Some(Filed {
        id: stored.record.clone(),
        kind: kind.to_owned(),
        version: stored.version.unsigned_abs(),
        supersedes: envelope.get("supersedes").and_then(Value::as_u64),
        by: stored.by.clone(),
        at: stored.moment()?,
        record: envelope.get_mut("record").map(Value::take).unwrap_or_default(),
    }))
}

/// The kind of record that an event filed.
pub(super) fn kind_filed(stored: &Stored) -> Option<&'static str> {
    let (start, what) = stored.kind.rsplit_once('.')?;
    let is_filed = matches!(what, ADDED | REVISED);
    RECORDS.iter().map(|kind| kind.name).find(|kind| is_filed && snake(kind) == start)
}

/// Checks that a filed record is one, by its own rules.
pub(super) fn check_filed(stored: &Stored) -> Result<()> {
    if let Some(filed) = filed(stored)? {
        check(&filed.kind, known::known(&filed.kind, filed.record))?;
    }
    Ok(())
}

/// `MeasureStudy` as `measure_study`: how kinds of events are written.
fn snake(kind: &str) -> String {
    kind.chars().enumerate().fold(String::new(), |mut text, (i, letter)| {
        if i > 0 && letter.is_uppercase() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
        text
    })
}
