//! The states of a practice and the gates between them: what a practice must have to count as having come so far.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes::define_codes;
use crate::Result;
use crate::record::{Record, invalid};

define_codes! {
    /// How far a practice has come.
    PracticeState {
        /// It came up in data, or somebody believes in it.
        Suspected = "suspected",
        /// It is written down so that others can do it.
        Described = "described",
        /// It is being tested in cycles.
        Testing = "testing",
        /// Several closed cycles of several people, all counted, show a benefit.
        Confirmed = "confirmed",
        /// Others take it up.
        Spreading = "spreading",
        /// Those who took it up keep it, and the benefit holds.
        Standard = "standard",
        /// It is no longer worked on.
        Retired = "retired",
    }

    /// What a practice must have, to count as having come so far.
    Gate {
        /// It says what people do.
        What = "what",
        /// It names its active ingredients.
        Ingredients = "ingredients",
        /// It names what it is not.
        NotThis = "not_this",
        /// It has a checklist of fidelity.
        Checklist = "checklist",
        /// A cycle of it has a locked plan.
        LockedCycle = "locked_cycle",
        /// Enough cycles are closed; every closed cycle counts.
        ClosedCycles = "closed_cycles",
        /// Enough people other than the originator adopted it.
        OtherAdopters = "other_adopters",
        /// It was adopted under enough different conditions.
        Contexts = "contexts",
        /// Its cycles share one outcome measure.
        SharedMeasure = "shared_measure",
        /// The pooled effect is above nothing, beyond chance.
        Benefit = "benefit",
        /// No guard measure was harmed in any cycle.
        NoHarm = "no_harm",
        /// It has not failed under new conditions since.
        HoldsElsewhere = "holds_elsewhere",
        /// Somebody was offered it and tried it.
        TriedByOthers = "tried_by_others",
        /// The originator agrees to be named, or is not named.
        Consent = "consent",
        /// Enough of those who tried it still use it.
        Kept = "kept",
        /// Others have used it for a term.
        OneTerm = "one_term",
        /// No cycle of the last term got worse or did harm.
        OutcomeHolds = "outcome_holds",
    }
}

/// The gates of every state, in the order in which they are passed.
pub const GATES: &[(PracticeState, Gate)] = &[
    (PracticeState::Described, Gate::What),
    (PracticeState::Described, Gate::Ingredients),
    (PracticeState::Described, Gate::NotThis),
    (PracticeState::Described, Gate::Checklist),
    (PracticeState::Testing, Gate::LockedCycle),
    (PracticeState::Confirmed, Gate::ClosedCycles),
    (PracticeState::Confirmed, Gate::OtherAdopters),
    (PracticeState::Confirmed, Gate::Contexts),
    (PracticeState::Confirmed, Gate::SharedMeasure),
    (PracticeState::Confirmed, Gate::Benefit),
    (PracticeState::Confirmed, Gate::NoHarm),
    (PracticeState::Confirmed, Gate::HoldsElsewhere),
    (PracticeState::Spreading, Gate::TriedByOthers),
    (PracticeState::Spreading, Gate::Consent),
    (PracticeState::Standard, Gate::Kept),
    (PracticeState::Standard, Gate::OneTerm),
    (PracticeState::Standard, Gate::OutcomeHolds),
];

/// How much each gate asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PracticeRules {
    /// Closed cycles, at least.
    pub closed_cycles: u32,
    /// People or teams other than the originator who adopted it, at least.
    pub other_adopters: u32,
    /// Different conditions under which it was adopted, at least.
    pub contexts: u32,
    /// The level of the interval of the pooled effect, whose lower end must be above 0.
    pub level: f64,
    /// Days after which a place that tried it is asked whether it still uses it.
    pub keep_days: u32,
    /// The share of those places that still do, at least.
    pub keep_rate: f64,
    /// Places asked, at least.
    pub kept_units: u32,
    /// Days of a term.
    pub term_days: u32,
}

impl Default for PracticeRules {
    fn default() -> Self {
        Self {
            closed_cycles: 3,
            other_adopters: 2,
            contexts: 2,
            level: 0.90,
            keep_days: 60,
            keep_rate: 0.80,
            kept_units: 5,
            term_days: 90,
        }
    }
}

impl Record for PracticeRules {
    const KIND: &'static str = "PracticeRules";

    fn validate(&self) -> Result<()> {
        for (path, value) in [("level", self.level), ("keep_rate", self.keep_rate)] {
            if !(value > 0.0 && value < 1.0) {
                return Err(invalid(Self::KIND, path, "must lie between 0 and 1"));
            }
        }
        if self.closed_cycles < 3 {
            return Err(invalid(Self::KIND, "closed_cycles", "must be 3 or more: fewer cannot be pooled"));
        }
        Ok(())
    }
}

/// A gate, and whether the practice passes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateCheck {
    /// The state that it belongs to.
    pub state: PracticeState,
    /// The gate.
    pub gate: Gate,
    /// Whether it is passed.
    pub is_passed: bool,
    /// What is missing, in plain words; empty where it is passed.
    pub missing: String,
}

impl Record for GateCheck {
    const KIND: &'static str = "GateCheck";

    fn validate(&self) -> Result<()> {
        Ok(())
    }
}

/// The states in the order in which they are reached, each with gates of its own.
pub(super) const LADDER: [PracticeState; 5] = [
    PracticeState::Described,
    PracticeState::Testing,
    PracticeState::Confirmed,
    PracticeState::Spreading,
    PracticeState::Standard,
];
