//! The moves of cycles, each one event; and cycles as they stand and stood.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::event::{CYCLE, EVENT_SCHEMA};
use super::store::{Ledger, append, events_of, read, write};
use super::{Journal, fold};
use crate::cycle::{Choice, Cycle, Doing, Event, Plan, Study};
use crate::measure::Series;
use crate::record::{Stamp, hash_of};
use crate::{Error, Result};

impl Journal {
    /// Drafts a cycle under a new id.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] for a plan that breaks its own rules; [`Error::Conflict`] if the id is taken;
    /// [`Error::Store`].
    pub fn draft(&mut self, id: &str, plan: Plan, stamp: &Stamp) -> Result<Cycle> {
        let (cycle, event) = Cycle::draft(id, plan, stamp)?;
        let bytes = payload(&event)?;
        write(&mut *self.store, |ledger| {
            let taken = events_of(ledger, id)?.len();
            if taken > 0 {
                return Err(Error::Conflict { record: format!("cycle {id:?}"), expected: 0, found: taken as u64 });
            }
            append(ledger, id, &kind_of(&event), 1, stamp, bytes)
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
        let cycle = self.change(id, stamp, |cycle, ledger| {
            let earlier = cycle.earlier_tries(&same_idea(ledger, cycle)?);
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
        self.cycle_at(id, None)
    }

    /// A cycle as it stood at a moment, by the dates that its events bear; without a moment, as it stands.
    ///
    /// # Errors
    /// As [`Self::cycle`]; [`Error::NotFound`] too for a cycle that was drafted later.
    pub fn cycle_at(&self, id: &str, as_of: Option<Timestamp>) -> Result<Cycle> {
        fold::cycle(id, &fold::by_moment(self.stored(id)?, as_of)?)
    }

    /// All cycles, in the order in which they were drafted.
    ///
    /// # Errors
    /// [`Error::NewerSchema`]; [`Error::Store`].
    pub fn cycles(&self) -> Result<Vec<Cycle>> {
        self.cycles_at(None)
    }

    /// All cycles as they stood at a moment; those drafted later are not among them.
    ///
    /// # Errors
    /// As [`Self::cycles`].
    pub fn cycles_at(&self, as_of: Option<Timestamp>) -> Result<Vec<Cycle>> {
        read(&*self.store, |ledger| fold::cycles(ledger, as_of))
    }

    /// Reads, moves and appends in one transaction, so that two writers cannot both move from the same state.
    fn change(
        &mut self,
        id: &str,
        stamp: &Stamp,
        make: impl FnOnce(&mut Cycle, &mut dyn Ledger) -> Result<Event>,
    ) -> Result<Cycle> {
        write(&mut *self.store, |ledger| {
            let mut cycle = fold::cycle(id, &events_of(ledger, id)?)?;
            let event = make(&mut cycle, ledger)?;
            append(ledger, id, &kind_of(&event), cycle.version, stamp, payload(&event)?)?;
            Ok(cycle)
        })
    }
}

/// The cycles that try the idea of this one, found by index.
fn same_idea(ledger: &mut dyn Ledger, cycle: &Cycle) -> Result<Vec<Cycle>> {
    let others = ledger.with_idea(&hash_of(&cycle.plan.idea())?)?;
    others.iter().filter(|id| **id != cycle.id).map(|id| fold::cycle(id, &events_of(ledger, id)?)).collect()
}

fn kind_of(event: &Event) -> String {
    format!("{CYCLE}{}", event.kind())
}

/// The bytes of an event, with the version of their schema in front.
fn payload(event: &Event) -> Result<Vec<u8>> {
    super::bytes_of(&serde_json::json!({ "schema": EVENT_SCHEMA, "event": event }))
}
