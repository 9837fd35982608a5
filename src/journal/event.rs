//! One event as it is stored, and the chain of hashes that binds it to the one before.

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Entry, known};
use crate::cycle::Event;
use crate::record::{Stamp, hex};
use crate::{Error, Result};

/// The version of the events that this version of the library writes, and the newest that it reads.
pub(super) const EVENT_SCHEMA: u32 = 1;

/// A step from one version of the events to the next: it makes of what an older version wrote what the next would have written.
type Lift = fn(Value) -> std::result::Result<Value, String>;

/// The steps, that from version 1 to 2 first. Whoever raises [`EVENT_SCHEMA`] adds the step here: as many as there are
/// versions before the present one.
const LIFTS: &[Lift] = &[];

const _: () = assert!(LIFTS.len() + 1 == EVENT_SCHEMA as usize, "every older version of the events needs its step");

/// An event of an older version as the present one would have written it, lifted from version to version. The stored bytes
/// stay as they are.
fn lifted(envelope: Value, found: u32, lifts: &[Lift]) -> std::result::Result<Value, String> {
    let first = usize::try_from(found).ok().and_then(|found| found.checked_sub(1));
    let steps = first.and_then(|first| lifts.get(first..));
    steps
        .ok_or_else(|| format!("its schema version is {found}, which never was"))?
        .iter()
        .try_fold(envelope, |event, lift| lift(event))
}

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
        lifted(envelope, found, LIFTS).map_err(|problem| self.unreadable(problem))
    }

    /// The event of a cycle, and who made it when.
    pub(super) fn cycle_event(&self) -> Result<(Event, Stamp)> {
        let mut envelope = self.known_envelope()?;
        let event = envelope.get_mut("event").map(Value::take).unwrap_or_default();
        let event = known::read("Event", event).map_err(|problem| self.unreadable(problem))?;
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Two imaginary steps: version 2 renamed a field, version 3 put the person into a mapping.
    const STEPS: &[Lift] = &[
        |mut event| {
            let fields = event.as_object_mut().ok_or("it is no mapping")?;
            let name = fields.remove("name").ok_or("it has no name")?;
            fields.insert("person".into(), name);
            Ok(event)
        },
        |mut event| {
            event["person"] = json!({ "name": event["person"] });
            Ok(event)
        },
    ];

    #[test]
    fn older_events_are_lifted_version_by_version() {
        let (first, second, third) =
            (json!({"name": "Kim"}), json!({"person": "Kim"}), json!({"person": {"name": "Kim"}}));
        assert_eq!(lifted(first.clone(), 1, STEPS), Ok(third.clone()));
        assert_eq!(lifted(second.clone(), 2, STEPS), Ok(third.clone()));
        assert_eq!(lifted(third.clone(), 3, STEPS), Ok(third));
        assert_eq!(lifted(first.clone(), 1, &STEPS[..1]), Ok(second.clone()));
        assert_eq!(lifted(second, 1, STEPS), Err("it has no name".into()), "what cannot be lifted is said");
        for never in [0, 4] {
            assert!(lifted(first.clone(), never, &STEPS[..2]).unwrap_err().contains("never was"), "{never}");
        }
    }

    /// Through the one door that all readers of events use.
    #[test]
    fn a_version_that_is_newer_or_never_was_is_refused_by_name() {
        let stored = |schema: u32| Stored {
            seq: 7,
            record: "late-1".into(),
            kind: "cycle.started".into(),
            version: 3,
            at: "2026-10-05T00:00:00Z".into(),
            by: "Kim".into(),
            payload: json!({"schema": schema, "event": {"kind": "started"}}).to_string().into_bytes(),
            hash: String::new(),
            previous_hash: String::new(),
        };
        assert!(stored(EVENT_SCHEMA).known_envelope().is_ok());
        let newer = stored(EVENT_SCHEMA + 1).known_envelope().unwrap_err();
        assert_eq!(newer.code(), "newer_schema");
        assert!(newer.to_string().contains("event 7 of \"late-1\""), "{newer}");
        let never = stored(0).known_envelope().unwrap_err();
        assert_eq!(never.code(), "invalid_record");
    }
}
