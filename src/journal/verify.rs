//! Whether a journal is what was written.

use std::collections::BTreeMap;

use super::event::{CYCLE, Chain, Stored};
use super::store::{Ledger, Select, idea_of};
use crate::cycle::{Event, Plan};
use crate::record::hash_of;
use crate::{Error, Result};

/// Walks the chain, holds every lock against the plan that it locked, and the index of ideas against the drafts.
pub(super) fn verify(ledger: &mut dyn Ledger, place: &str) -> Result<u64> {
    let mut chain = Chain::new();
    let mut locks = Locks::default();
    let mut ideas: BTreeMap<String, String> = BTreeMap::new();
    ledger.each(Select::All, &mut |stored| {
        chain.follow(place, &stored)?;
        locks.follow(place, &stored)?;
        if let Some(idea) = idea_of(&stored)? {
            ideas.insert(stored.record, idea);
        }
        Ok(())
    })?;
    let n = chain.end(place, ledger.seal()?.as_deref())?;
    if ledger.ideas()?.into_iter().collect::<BTreeMap<_, _>>() != ideas {
        let problem = "its index of ideas is not that of its drafts".to_owned();
        return Err(Error::Tampered { path: place.to_owned(), problem });
    }
    Ok(n)
}

/// The plans that are drafted and not yet locked: as read, and as they were written.
#[derive(Default)]
pub(super) struct Locks {
    drafts: BTreeMap<String, (Plan, serde_json::Value)>,
}

impl Locks {
    /// A lock must bear the hash of the plan that was drafted. Someone who writes a whole new chain must forge this too.
    pub(super) fn follow(&mut self, place: &str, stored: &Stored) -> Result<()> {
        if !stored.kind.starts_with(CYCLE) {
            return Ok(());
        }
        // What a newer version wrote cannot be judged; the chain holds it.
        let Ok((event, _)) = stored.cycle_event() else { return Ok(()) };
        match event {
            Event::Drafted { plan } => {
                let written = stored.known_envelope()?.pointer("/event/data/plan").cloned().unwrap_or_default();
                self.drafts.insert(stored.record.clone(), (*plan, written));
            }
            Event::Locked { analysis, plan_hash } => {
                let Some((mut plan, mut written)) = self.drafts.remove(&stored.record) else { return Ok(()) };
                plan.analysis = analysis;
                if let Some(field) = written.get_mut("analysis") {
                    *field = analysis.as_str().into();
                }
                // A plan that an older version wrote lacks fields that were added since: as written it bears its hash still.
                if plan.hash()? != plan_hash && hash_of(&written)? != plan_hash {
                    let problem = format!(
                        "event {} (cycle.locked of {:?}) does not bear the hash of the plan that was drafted",
                        stored.seq, stored.record
                    );
                    return Err(Error::Tampered { path: place.to_owned(), problem });
                }
            }
            _ => {}
        }
        Ok(())
    }
}
