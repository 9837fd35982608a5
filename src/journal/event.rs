//! One event as it is stored, and the chain of hashes that binds it to the one before.

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Entry;
use crate::cycle::Event;
use crate::record::{Stamp, hex};
use crate::{Error, Result};

/// The version of the events that this version of the library writes, and the newest that it reads.
pub(super) const EVENT_SCHEMA: u32 = 1;

/// What stands before the first event.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What the kinds of a cycle's events begin with.
pub(super) const CYCLE: &str = "cycle.";

/// The kind of a cycle's first event.
pub(super) const DRAFTED: &str = "cycle.drafted";

/// One row of the table of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) seq: i64,
    pub(super) record: String,
    pub(super) kind: String,
    pub(super) version: i64,
    pub(super) at: String,
    pub(super) by: String,
    pub(super) payload: Vec<u8>,
    pub(super) hash: String,
    pub(super) previous_hash: String,
}

impl Stored {
    /// The hash over all columns: each with its length in front, so that nothing can move from one to the next.
    pub(super) fn computed_hash(&self) -> String {
        let (seq, version) = (self.seq.to_string(), self.version.to_string());
        let mut hash = Sha256::new();
        for part in [
            self.previous_hash.as_bytes(),
            seq.as_bytes(),
            self.record.as_bytes(),
            self.kind.as_bytes(),
            version.as_bytes(),
            self.at.as_bytes(),
            self.by.as_bytes(),
            &self.payload,
        ] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hex(&hash.finalize())
    }

    /// When it happened, as the writer said.
    pub(super) fn moment(&self) -> Result<Timestamp> {
        self.at.parse().map_err(|problem| self.unreadable(problem))
    }

    /// What was written: the version of its schema, and everything beside it.
    pub(super) fn envelope(&self) -> Result<(u32, Value)> {
        let envelope: Value = serde_json::from_slice(&self.payload).map_err(|problem| self.unreadable(problem))?;
        match envelope.get("schema").and_then(Value::as_u64).and_then(|schema| u32::try_from(schema).ok()) {
            Some(schema) => Ok((schema, envelope)),
            None => Err(self.unreadable("it has no schema version")),
        }
    }

    /// As [`Self::envelope`], of a version that this library knows.
    pub(super) fn known_envelope(&self) -> Result<Value> {
        let (found, envelope) = self.envelope()?;
        if found > EVENT_SCHEMA {
            let what = format!("event {} of {:?}", self.seq, self.record);
            return Err(Error::NewerSchema { what, found, supported: EVENT_SCHEMA });
        }
        // Events of an older schema are lifted here, one version after another; the stored bytes stay as they are.
        Ok(envelope)
    }

    /// The event of a cycle, and who made it when.
    pub(super) fn cycle_event(&self) -> Result<(Event, Stamp)> {
        let mut envelope = self.known_envelope()?;
        let event = envelope.get_mut("event").map(Value::take).unwrap_or_default();
        let event = serde_path_to_error::deserialize(event).map_err(|problem| self.unreadable(problem))?;
        Ok((event, Stamp::new(self.by.clone(), self.moment()?)))
    }

    /// As the public sees it.
    pub(super) fn entry(self) -> Result<Entry> {
        let at = self.moment()?;
        let payload = serde_json::from_slice(&self.payload).map_err(|problem| self.unreadable(problem))?;
        let Self { seq, record, kind, version, by, hash, .. } = self;
        // Both count from 1; databases know signed integers only.
        Ok(Entry { seq: seq.unsigned_abs(), record, kind, version: version.unsigned_abs(), at, by, payload, hash })
    }

    pub(super) fn unreadable(&self, problem: impl std::fmt::Display) -> Error {
        Error::InvalidRecord {
            record: format!("event {} of {:?}", self.seq, self.record),
            path: String::new(),
            problem: format!("cannot be read: {problem}"),
        }
    }

    fn place(&self) -> String {
        format!("event {} ({} of {:?})", self.seq, self.kind, self.record)
    }
}

/// A walk along the chain: every event must follow the one before it, and be what its hash says.
#[derive(Debug)]
pub(super) struct Chain {
    n: i64,
    last: String,
}

impl Chain {
    pub(super) fn new() -> Self {
        Self { n: 0, last: GENESIS.to_owned() }
    }

    /// Takes the next event; `path` is the journal that an error names.
    pub(super) fn follow(&mut self, path: &str, stored: &Stored) -> Result<()> {
        let tampered = |problem: String| Err(Error::Tampered { path: path.to_owned(), problem });
        self.n += 1;
        if stored.seq != self.n {
            return tampered(format!("event {} is missing before {}", self.n, stored.place()));
        }
        if stored.previous_hash != self.last {
            return tampered(format!("{} does not follow the event before it", stored.place()));
        }
        if stored.computed_hash() != stored.hash {
            return tampered(format!("{} has been changed", stored.place()));
        }
        self.last.clone_from(&stored.hash);
        Ok(())
    }

    /// The end of the chain: the last event must be the one that was written last. Returns the number of events.
    pub(super) fn end(self, path: &str, last: Option<&str>) -> Result<u64> {
        if last.unwrap_or(GENESIS) == self.last {
            return Ok(self.n.unsigned_abs());
        }
        let problem = format!("events after event {} are missing", self.n);
        Err(Error::Tampered { path: path.to_owned(), problem })
    }
}
