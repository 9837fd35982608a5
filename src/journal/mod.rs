//! The durable, append-only log of records: one database file (`SQLite`), which several processes may write, or the
//! tables of a `PostgreSQL` database (feature `postgres`), where many write at once.
//!
//! Every move is one event, stored as the bytes that were written and never rewritten. Each event carries the hash of
//! itself and of the event before it, so that [`Journal::verify`] finds any later change. A record is put together from
//! its events on reading, as it stands or as it stood at a moment; beside them is only an index. A journal can be
//! written to a folder of JSON ([`Journal::export`]) and read from it ([`Journal::restore`]), hash for hash.
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

mod cycles;
mod event;
mod filed;
mod fold;
mod folder;
mod known;
mod place;
#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;
mod store;
mod verify;

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

pub use filed::Filed;
pub use folder::schema as folder_schema;
pub use place::without_password;

use crate::{Error, Result};
use event::Stored;
use store::{Select, Store, events_of, read};

/// One event, as the journal keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place in the journal, from 1.
    pub seq: u64,
    /// The id of the record.
    pub record: String,
    /// What kind of event, for example "cycle.locked".
    pub kind: String,
    /// The version of the record after it.
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

/// A journal: a file, or the tables of a database.
#[derive(Debug)]
pub struct Journal {
    store: Box<dyn Store>,
}

impl Journal {
    /// Opens the journal at `place`, the path of a file or the URL of a `PostgreSQL` database (with the feature
    /// `postgres`); makes it if there is none, and brings one of an older version up to date.
    ///
    /// # Errors
    /// [`Error::Store`] if it cannot be opened or written, is something else than a journal, or is a file on a network
    /// share; [`Error::NewerSchema`] if a newer version of the library made it; [`Error::InvalidOption`] for the URL of
    /// another kind of database.
    pub fn open(place: impl AsRef<Path>) -> Result<Self> {
        Ok(Self { store: place::open(place.as_ref())? })
    }

    /// The path or URL, without the password.
    pub fn place(&self) -> &str {
        self.store.place()
    }

    /// What happened to a record, the oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Store`].
    pub fn history(&self, id: &str) -> Result<Vec<Entry>> {
        let stored = self.stored(id)?;
        if stored.is_empty() {
            return Err(Error::NotFound { kind: "record".into(), id: id.into() });
        }
        stored.into_iter().map(Stored::entry).collect()
    }

    /// Everything that happened, in the order in which it was written.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn events(&self) -> Result<Vec<Entry>> {
        let mut entries = vec![];
        read(&*self.store, |ledger| {
            ledger.each(Select::All, &mut |stored| {
                entries.push(stored.entry()?);
                Ok(())
            })
        })?;
        Ok(entries)
    }

    /// Checks that the journal is what was written: the chain of hashes, every locked plan against the hash of its
    /// lock, and the index. Returns the number of events.
    ///
    /// # Errors
    /// [`Error::Tampered`] at the first event that is not what was written; [`Error::Store`].
    pub fn verify(&self) -> Result<u64> {
        read(&*self.store, |ledger| verify::verify(ledger, self.place()))
    }

    /// The hash of the last event, which stands for the whole journal; `None` if it is empty.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn head(&self) -> Result<Option<String>> {
        read(&*self.store, |ledger| Ok(ledger.tail()?.map(|(_, hash)| hash)))
    }

    fn stored(&self, id: &str) -> Result<Vec<Stored>> {
        read(&*self.store, |ledger| events_of(ledger, id))
    }
}

fn bytes_of(data: &impl serde::Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(data)
        .map_err(|problem| Error::Numerical { what: "the JSON of an event".into(), problem: problem.to_string() })
}
