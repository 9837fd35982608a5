//! What a database must do for a journal: read in one snapshot, and append one after another.

use std::fmt;

use super::event::{DRAFTED, GENESIS, Stored};
use crate::cycle::Event;
use crate::record::{Stamp, hash_of};
use crate::{Error, Result};

/// The version of the tables, the same in all databases.
pub(super) const SCHEMA: u32 = 2;

/// The columns of an event, in the order in which they are read and written.
pub(super) const COLUMNS: &str = "seq, record, kind, version, at, by, payload, hash, previous_hash";

/// The event of a row of [`COLUMNS`], from its whole numbers, texts and bytes by their places.
pub(super) fn stored<E>(
    number: impl Fn(usize) -> std::result::Result<i64, E>,
    text: impl Fn(usize) -> std::result::Result<String, E>,
    bytes: impl Fn(usize) -> std::result::Result<Vec<u8>, E>,
) -> std::result::Result<Stored, E> {
    Ok(Stored {
        seq: number(0)?,
        record: text(1)?,
        kind: text(2)?,
        version: number(3)?,
        at: text(4)?,
        by: text(5)?,
        payload: bytes(6)?,
        hash: text(7)?,
        previous_hash: text(8)?,
    })
}

/// `PostgreSQL` keeps no text with it; both databases keep the same.
const NUL: char = '\0';

/// Which events.
#[derive(Debug, Clone, Copy)]
pub(super) enum Select<'a> {
    /// All, in the order in which they were written.
    All,
    /// Those of one record, the oldest first.
    Of(&'a str),
    /// Those whose kind begins so (`cycle.`), in the order in which they were written.
    Kind(&'a str),
}

/// What is done within one transaction.
pub(super) type Work<'a> = Box<dyn FnOnce(&mut dyn Ledger) -> Result<()> + 'a>;

/// A database that holds a journal.
pub(super) trait Store: fmt::Debug + Send {
    /// The name of the place, without secrets.
    fn place(&self) -> &str;

    /// Reads within one snapshot.
    fn read(&self, work: Work<'_>) -> Result<()>;

    /// Writes in one durable transaction: from its start to its end no other writes, and on an error nothing is left.
    fn write(&mut self, work: Work<'_>) -> Result<()>;
}

/// The tables within a transaction.
pub(super) trait Ledger {
    fn each(&mut self, which: Select<'_>, take: &mut dyn FnMut(Stored) -> Result<()>) -> Result<()>;

    /// The place and the hash of the last event.
    fn tail(&mut self) -> Result<Option<(i64, String)>>;

    /// The hash of the event that was written last, kept beside the events.
    fn seal(&mut self) -> Result<Option<String>>;

    /// Adds an event and makes its hash the seal.
    fn insert(&mut self, stored: &Stored) -> Result<()>;

    /// Files a cycle under the idea that it tries.
    fn insert_idea(&mut self, idea: &str, record: &str) -> Result<()>;

    /// The cycles that try an idea.
    fn with_idea(&mut self, idea: &str) -> Result<Vec<String>>;

    /// Every cycle with its idea.
    fn ideas(&mut self) -> Result<Vec<(String, String)>>;

    /// The ids of all records, in the order in which they began.
    fn records(&mut self) -> Result<Vec<String>>;
}

/// Runs `work` in one snapshot.
pub(super) fn read<T>(store: &dyn Store, work: impl FnOnce(&mut dyn Ledger) -> Result<T>) -> Result<T> {
    let mut done = None;
    store.read(Box::new(|ledger| {
        done = Some(work(ledger)?);
        Ok(())
    }))?;
    done.ok_or_else(|| not_done(store))
}

/// Runs `work` in one transaction that holds the journal for writing.
pub(super) fn write<T>(store: &mut dyn Store, work: impl FnOnce(&mut dyn Ledger) -> Result<T>) -> Result<T> {
    let mut done = None;
    store.write(Box::new(|ledger| {
        done = Some(work(ledger)?);
        Ok(())
    }))?;
    done.ok_or_else(|| not_done(store))
}

fn not_done(store: &dyn Store) -> Error {
    Error::Store { path: store.place().into(), problem: "nothing was done".into(), remedy: "repeat".into() }
}

/// The events of one record, the oldest first.
pub(super) fn events_of(ledger: &mut dyn Ledger, record: &str) -> Result<Vec<Stored>> {
    let mut found = vec![];
    // No record has such an id, and PostgreSQL would not even look for it.
    if record.contains(NUL) {
        return Ok(found);
    }
    ledger.each(Select::Of(record), &mut |stored| {
        found.push(stored);
        Ok(())
    })?;
    Ok(found)
}

/// Appends an event to the chain.
pub(super) fn append(
    ledger: &mut dyn Ledger,
    record: &str,
    kind: &str,
    version: u64,
    stamp: &Stamp,
    payload: Vec<u8>,
) -> Result<()> {
    for (option, text) in [("id", record), ("by", &stamp.by)] {
        if text.contains(NUL) {
            return Err(Error::option(option, format!("{text:?}"), "text without the character NUL"));
        }
    }
    let (last, previous_hash) = ledger.tail()?.unwrap_or((0, GENESIS.to_owned()));
    let mut stored = Stored {
        seq: last + 1,
        record: record.to_owned(),
        kind: kind.to_owned(),
        version: i64::try_from(version).unwrap_or(i64::MAX),
        at: stamp.at.to_string(),
        by: stamp.by.clone(),
        payload,
        hash: String::new(),
        previous_hash,
    };
    stored.hash = stored.computed_hash();
    take_in(ledger, &stored)
}

/// Adds an event that bears its place in the chain already, and what is found by index.
pub(super) fn take_in(ledger: &mut dyn Ledger, stored: &Stored) -> Result<()> {
    ledger.insert(stored)?;
    if let Some(idea) = idea_of(stored)? {
        ledger.insert_idea(&idea, &stored.record)?;
    }
    Ok(())
}

/// The key of the idea that a drafted cycle tries: a hash, for ideas may be long. `None` for other events, and for those
/// of a newer version, which cannot be read.
pub(super) fn idea_of(stored: &Stored) -> Result<Option<String>> {
    if stored.kind != DRAFTED {
        return Ok(None);
    }
    match stored.cycle_event() {
        Ok((Event::Drafted { plan }, _)) => hash_of(&plan.idea()).map(Some),
        _ => Ok(None),
    }
}
