//! From events to records: as they stand, or as they stood at a moment.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::event::{CYCLE, Stored};
use super::store::{Ledger, Select};
use crate::cycle::Cycle;
use crate::{Error, Result};

pub(super) fn no_cycle(id: &str) -> Error {
    Error::NotFound { kind: "cycle".into(), id: id.into() }
}

/// Whether an event had happened by a moment; without one, all have.
fn is_by(stored: &Stored, as_of: Option<Timestamp>) -> Result<bool> {
    as_of.map_or(Ok(true), |as_of| Ok(stored.moment()? <= as_of))
}

/// The events of one record by a moment: those before the first that came later, so that what is left was once the
/// whole record, even where a later event bears an earlier date.
pub(super) fn by_moment(events: Vec<Stored>, as_of: Option<Timestamp>) -> Result<Vec<Stored>> {
    let mut kept = vec![];
    for stored in events {
        if !is_by(&stored, as_of)? {
            break;
        }
        kept.push(stored);
    }
    Ok(kept)
}

/// A cycle from its events.
pub(super) fn cycle(id: &str, events: &[Stored]) -> Result<Cycle> {
    if events.first().is_none_or(|first| !first.kind.starts_with(CYCLE)) {
        return Err(no_cycle(id));
    }
    let events = events.iter().map(Stored::cycle_event).collect::<Result<Vec<_>>>()?;
    Cycle::fold(id, events.iter().map(|(event, stamp)| (event, stamp)))
}

/// All cycles, in the order in which they were drafted. Each event is read, taken in and let go.
pub(super) fn cycles(ledger: &mut dyn Ledger, as_of: Option<Timestamp>) -> Result<Vec<Cycle>> {
    let mut cycles: Vec<Cycle> = vec![];
    // Where each cycle stands in the list, and whether its later events still count.
    let mut places: BTreeMap<String, (Option<usize>, bool)> = BTreeMap::new();
    ledger.each(Select::Kind(CYCLE), &mut |stored| {
        let (place, is_open) = places.entry(stored.record.clone()).or_insert((None, true));
        *is_open = *is_open && is_by(&stored, as_of)?;
        if !*is_open {
            return Ok(());
        }
        let (event, stamp) = stored.cycle_event()?;
        if let Some(cycle) = place.and_then(|place| cycles.get_mut(place)) {
            return cycle.apply(&event, &stamp);
        }
        *place = Some(cycles.len());
        cycles.push(Cycle::fold(&stored.record, [(&event, &stamp)])?);
        Ok(())
    })?;
    Ok(cycles)
}
