//! The durable, append-only log of cycles: one database file (`SQLite`), which several processes may write.
//!
//! Every move is one event, stored as the bytes that were written and never rewritten. Each event carries the hash of
//! itself and of the event before it, so that [`Journal::verify`] finds any later change. A cycle is put together from its events
//! on reading; nothing else is stored.
//!
//! What the chain cannot show: someone who can write the file can write a whole new one. Keep the last hash elsewhere
//! (print it on the page that goes to the board) where that matters.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use brightspot::cycle::{Choice, Doing, Fidelity, Plan, Prediction, State};
//! use brightspot::journal::Journal;
//! use brightspot::measure::{Measure, Series};
//! use brightspot::record::{Stamp, parse_timestamp};
//! use jiff::civil::date;
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("plc.db");
//! let by = |at: &str| parse_timestamp(at).map(|at| Stamp::new("Ms. Rivera", at));
//! let plan = Plan {
//!     predictions: vec![Prediction::new("late").at_most(-2.0)],
//!     ..Plan::new(
//!         "Fewer late arrivals",
//!         "Greet every student at the door",
//!         Measure { direction: brightspot::measure::Direction::Down, ..Measure::new("late") },
//!         [date(2026, 9, 1), date(2026, 10, 4)],
//!         [date(2026, 10, 5), date(2026, 11, 15)],
//!     )
//! };
//!
//! let mut journal = Journal::open(&path)?;
//! journal.draft("late-1", plan, &by("2026-10-01")?)?;
//! journal.lock("late-1", &by("2026-10-02")?)?;
//! journal.start("late-1", &by("2026-10-05")?)?;
//! journal.do_("late-1", Doing::new(Fidelity::Fully), &by("2026-11-15")?)?;
//! let weeks = (0..).map(|week| date(2026, 9, 7) + jiff::Span::new().days(7 * week));
//! let late = Series::of(weeks.zip([9., 11., 10., 12., 7., 6., 8., 5., 7., 6.]))?;
//! let data = BTreeMap::from([("late".to_owned(), late)]);
//! let study = journal.study("late-1", &data, date(2026, 11, 20), "", &by("2026-11-20")?)?;
//! assert_eq!(study.outcome.mean_before, Some(10.5));
//! let cycle = journal.decide("late-1", Choice::Adapt, "Try it in two more rooms", &by("2026-11-21")?)?;
//! assert_eq!(cycle.state, State::Decided);
//! assert_eq!(journal.history("late-1")?.len(), 6);
//! assert_eq!(journal.verify()?, 6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod store;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use crate::cycle::{Choice, Cycle, Doing, Event, Plan, Study};
use crate::measure::Series;
use crate::record::Stamp;
use crate::{Error, Result};
use store::{Store, Stored, Write};

/// The version of the events that this version of the library writes, and the newest that it reads.
const EVENT_SCHEMA: u32 = 1;

/// One event, as the journal keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place in the journal, from 1.
    pub seq: u64,
    /// The id of the cycle.
    pub record: String,
    /// What kind of event, for example "cycle.locked".
    pub kind: String,
    /// The version of the cycle after it.
    pub version: u64,
    /// When it happened, as the writer said.
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// The event as it was stored, unknown fields of a newer version included.
    pub payload: Value,
    /// SHA-256 over this event and the hash before it.
    pub hash: String,
}

/// A journal of cycles in one file.
#[derive(Debug)]
pub struct Journal {
    store: Store,
}

impl Journal {
    /// Opens the journal at `path`; makes the file if there is none.
    ///
    /// # Errors
    /// [`Error::Store`] if the file cannot be opened or written, or is something else than a journal;
    /// [`Error::NewerSchema`] if a newer version of the library made it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self { store: Store::open(path.as_ref())? })
    }

    /// Drafts a cycle under a new id.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] for a plan that breaks its own rules; [`Error::Conflict`] if the id is taken;
    /// [`Error::Store`].
    pub fn draft(&mut self, id: &str, plan: Plan, stamp: &Stamp) -> Result<Cycle> {
        let (cycle, event) = Cycle::draft(id, plan, stamp)?;
        let bytes = payload(&event)?;
        self.store.write(|write| {
            let taken = write.events_of(id)?.len();
            if taken > 0 {
                return Err(Error::Conflict { record: format!("cycle {id:?}"), expected: 0, found: taken as u64 });
            }
            write.append(id, &kind_of(&event), 1, stamp, &bytes)
        })?;
        Ok(cycle)
    }

    /// Locks the plan of a cycle.
    ///
    /// # Errors
    /// As [`Cycle::lock`]; [`Error::NotFound`]; [`Error::Store`].
    pub fn lock(&mut self, id: &str, stamp: &Stamp) -> Result<Cycle> {
        self.change(id, stamp, |cycle, _| cycle.lock(stamp))
    }

    /// Puts a note beside the locked plan.
    ///
    /// # Errors
    /// As [`Cycle::amend`]; [`Error::NotFound`]; [`Error::Store`].
    pub fn amend(&mut self, id: &str, note: &str, stamp: &Stamp) -> Result<Cycle> {
        self.change(id, stamp, |cycle, _| cycle.amend(note, stamp))
    }

    /// Starts the test.
    ///
    /// # Errors
    /// As [`Cycle::start`]; [`Error::NotFound`]; [`Error::Store`].
    pub fn start(&mut self, id: &str, stamp: &Stamp) -> Result<Cycle> {
        self.change(id, stamp, |cycle, _| cycle.start(stamp))
    }

    /// Records what was done.
    ///
    /// # Errors
    /// As [`Cycle::do_`]; [`Error::NotFound`]; [`Error::Store`].
    pub fn do_(&mut self, id: &str, doing: Doing, stamp: &Stamp) -> Result<Cycle> {
        self.change(id, stamp, |cycle, _| cycle.do_(doing, stamp))
    }

    /// Studies the data of a cycle and keeps the study beside the older ones. Decided cycles of the same practice (or,
    /// without one, of the same change) are its earlier tries.
    ///
    /// # Errors
    /// As [`Cycle::study`]; [`Error::NotFound`]; [`Error::Store`].
    pub fn study(
        &mut self,
        id: &str,
        series: &BTreeMap<String, Series>,
        as_of: Date,
        learned: &str,
        stamp: &Stamp,
    ) -> Result<Study> {
        let cycle = self.change(id, stamp, |cycle, write| {
            let others = fold_all(&write.all_events()?)?;
            let earlier = cycle.earlier_tries(&others);
            cycle.study(series, as_of, &earlier, learned, stamp)
        })?;
        cycle.studies.into_iter().next_back().ok_or_else(|| Error::NotFound { kind: "study".into(), id: id.into() })
    }

    /// Records what the team decided.
    ///
    /// # Errors
    /// As [`Cycle::decide`]; [`Error::NotFound`]; [`Error::Store`].
    pub fn decide(&mut self, id: &str, chosen: Choice, reason: &str, stamp: &Stamp) -> Result<Cycle> {
        self.change(id, stamp, |cycle, _| cycle.decide(chosen, reason, stamp))
    }

    /// Gives a cycle up. It stays on record.
    ///
    /// # Errors
    /// As [`Cycle::cancel`]; [`Error::NotFound`]; [`Error::Store`].
    pub fn cancel(&mut self, id: &str, reason: &str, stamp: &Stamp) -> Result<Cycle> {
        self.change(id, stamp, |cycle, _| cycle.cancel(reason, stamp))
    }

    /// A cycle as it stands.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NewerSchema`] if one of its events is of a newer version; [`Error::Store`].
    pub fn cycle(&self, id: &str) -> Result<Cycle> {
        fold(id, &self.store.events_of(id)?)
    }

    /// All cycles, in the order in which they were drafted.
    ///
    /// # Errors
    /// [`Error::NewerSchema`]; [`Error::Store`].
    pub fn cycles(&self) -> Result<Vec<Cycle>> {
        fold_all(&self.store.all_events()?)
    }

    /// What happened to a cycle, the oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Store`].
    pub fn history(&self, id: &str) -> Result<Vec<Entry>> {
        let stored = self.store.events_of(id)?;
        if stored.is_empty() {
            return Err(not_found(id));
        }
        stored.into_iter().map(entry).collect()
    }

    /// Checks the whole chain of hashes; the number of events.
    ///
    /// # Errors
    /// [`Error::Tampered`] at the first event that is not what was written; [`Error::Store`].
    pub fn verify(&self) -> Result<u64> {
        self.store.verify()
    }

    /// The hash of the last event, which stands for the whole journal; `None` if it is empty.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn head(&self) -> Result<Option<String>> {
        self.store.head()
    }

    /// Reads, moves and appends in one transaction, so that two writers cannot both move from the same state.
    fn change(
        &mut self,
        id: &str,
        stamp: &Stamp,
        make: impl FnOnce(&mut Cycle, &Write<'_>) -> Result<Event>,
    ) -> Result<Cycle> {
        self.store.write(|write| {
            let mut cycle = fold(id, &write.events_of(id)?)?;
            let event = make(&mut cycle, write)?;
            write.append(id, &kind_of(&event), cycle.version, stamp, &payload(&event)?)?;
            Ok(cycle)
        })
    }
}

fn kind_of(event: &Event) -> String {
    format!("cycle.{}", event.kind())
}

/// The bytes of an event, with the version of their schema in front.
fn payload(event: &Event) -> Result<Vec<u8>> {
    serde_json::to_vec(&serde_json::json!({ "schema": EVENT_SCHEMA, "event": event }))
        .map_err(|problem| Error::Numerical { what: "the JSON of an event".into(), problem: problem.to_string() })
}

fn not_found(id: &str) -> Error {
    Error::NotFound { kind: "cycle".into(), id: id.into() }
}

fn unreadable(stored: &Stored, problem: impl std::fmt::Display) -> Error {
    Error::InvalidRecord {
        record: format!("event {} of cycle {:?}", stored.seq, stored.record),
        path: String::new(),
        problem: format!("cannot be read: {problem}"),
    }
}

fn entry(stored: Stored) -> Result<Entry> {
    let at = stored.at.parse().map_err(|problem| unreadable(&stored, problem))?;
    let payload = serde_json::from_slice(&stored.payload).map_err(|problem| unreadable(&stored, problem))?;
    let Stored { seq, record, kind, version, by, hash, .. } = stored;
    // Both count from 1; SQLite knows signed integers only.
    Ok(Entry { seq: seq.unsigned_abs(), record, kind, version: version.unsigned_abs(), at, by, payload, hash })
}

fn read(stored: &Stored) -> Result<(Event, Stamp)> {
    let mut envelope: Value = serde_json::from_slice(&stored.payload).map_err(|problem| unreadable(stored, problem))?;
    let schema = envelope.get("schema").and_then(Value::as_u64).and_then(|schema| u32::try_from(schema).ok());
    let Some(schema) = schema else { return Err(unreadable(stored, "it has no schema version")) };
    if schema > EVENT_SCHEMA {
        let what = format!("event {} of cycle {:?}", stored.seq, stored.record);
        return Err(Error::NewerSchema { what, found: schema, supported: EVENT_SCHEMA });
    }
    let event = envelope.get_mut("event").map(Value::take).unwrap_or_default();
    let event = serde_path_to_error::deserialize(event).map_err(|problem| unreadable(stored, problem))?;
    let at = stored.at.parse().map_err(|problem| unreadable(stored, problem))?;
    Ok((event, Stamp::new(stored.by.clone(), at)))
}

fn fold(id: &str, stored: &[Stored]) -> Result<Cycle> {
    if stored.is_empty() {
        return Err(not_found(id));
    }
    let events: Vec<(Event, Stamp)> = stored.iter().map(read).collect::<Result<_>>()?;
    Cycle::fold(id, events.iter().map(|(event, stamp)| (event, stamp)))
}

fn fold_all(stored: &[Stored]) -> Result<Vec<Cycle>> {
    let mut order: Vec<&str> = vec![];
    let mut by_id: BTreeMap<&str, Vec<(Event, Stamp)>> = BTreeMap::new();
    for one in stored.iter().filter(|one| one.kind.starts_with("cycle.")) {
        let events = by_id.entry(&one.record).or_insert_with(|| {
            order.push(&one.record);
            vec![]
        });
        events.push(read(one)?);
    }
    order
        .into_iter()
        .filter_map(|id| by_id.get(id).map(|events| (id, events)))
        .map(|(id, events)| Cycle::fold(id, events.iter().map(|(event, stamp)| (event, stamp))))
        .collect()
}
