//! How large the next test should be: a change goes to more places only on evidence from fewer.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes::define_codes;
use super::{Choice, Cycle, PredictionFinding, Signal, State};
use crate::{Error, Note, NoteCode, Result};

define_codes! {
    /// How sure people are that the change is an improvement.
    Belief {
        /// A hunch, or evidence from one place.
        Low = "low",
        /// Predictions came true, under several conditions.
        High = "high",
    }

    /// What it costs if the change fails.
    FailureCost {
        /// Harm that is hard to undo: to students, to trust, to the budget.
        Large = "large",
        /// A lesson or two.
        Small = "small",
    }

    /// Whether the people concerned want the change.
    Readiness {
        /// They resist it.
        NotReady = "not_ready",
        /// They neither want nor resist it.
        Indifferent = "indifferent",
        /// They want it.
        Ready = "ready",
    }

    /// How large a test should be.
    TestSize {
        /// One classroom, one week.
        VerySmall = "very_small",
        /// A few places.
        Small = "small",
        /// Many places.
        Large = "large",
        /// Everywhere, as the new way of working.
        Implement = "implement",
    }

    /// Why the next step of a ramp is what it is.
    RampReason {
        /// Nothing has been decided yet: begin with the smallest step.
        Begin = "begin",
        /// The change was confirmed at this scale: go to the next.
        StepUp = "step_up",
        /// It was not confirmed at this scale: test again at the same.
        SameScale = "same_scale",
        /// It was abandoned.
        Stopped = "stopped",
        /// It was confirmed everywhere.
        Finished = "finished",
        /// The evidence allows more, but the cost of failure or the people's readiness do not.
        HeldBack = "held_back",
    }
}

/// The size of a test by belief, cost of failure and readiness, each in the order of its codes.
///
/// Langley GJ et al. (2009), The Improvement Guide, 2nd ed., Jossey-Bass, table 7.1.
const TEST_SIZES: [[[TestSize; 3]; 2]; 2] = {
    use TestSize::{Implement, Large, Small, VerySmall};
    [
        [[VerySmall, VerySmall, VerySmall], [VerySmall, VerySmall, Small]],
        [[VerySmall, Small, Large], [Small, Large, Implement]],
    ]
};

/// How large a test should be (Langley et al. 2009, table 7.1).
///
/// More belief, a smaller cost of failure or more readiness never make it smaller.
///
/// ```
/// use brightspot::cycle::{Belief, FailureCost, Readiness, TestSize, size_of_test};
///
/// assert_eq!(size_of_test(Belief::Low, FailureCost::Large, Readiness::Ready), TestSize::VerySmall);
/// assert_eq!(size_of_test(Belief::High, FailureCost::Small, Readiness::Ready), TestSize::Implement);
/// ```
pub fn size_of_test(belief: Belief, cost: FailureCost, readiness: Readiness) -> TestSize {
    let cell = TEST_SIZES.get(belief as usize).and_then(|by_cost| by_cost.get(cost as usize));
    // The table has a cell for every code; the smallest test is the safe answer.
    cell.and_then(|by_readiness| by_readiness.get(readiness as usize)).copied().unwrap_or(TestSize::VerySmall)
}

/// The steps by which a change goes from one place to all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Steps(Vec<u32>);

impl Default for Steps {
    fn default() -> Self {
        Self(vec![1, 3, 5, 25])
    }
}

impl Steps {
    /// Steps of so many places each; after the last come all places.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] unless they rise from 1 or more.
    pub fn new(steps: &[u32]) -> Result<Self> {
        let rises = steps.windows(2).all(|pair| pair.first() < pair.last());
        if steps.first().is_none_or(|first| *first == 0) || !rises {
            return Err(Error::option(
                "steps",
                format!("{steps:?}"),
                "rising numbers of places, for example [1, 3, 5, 25]",
            ));
        }
        Ok(Self(steps.to_vec()))
    }

    /// The steps, the smallest first.
    pub fn as_slice(&self) -> &[u32] {
        &self.0
    }

    /// The first step; a ramp has at least one.
    fn first(&self) -> Scale {
        self.0.first().map_or(Scale::All, |n| Scale::Places(*n))
    }

    /// The smallest step above a number of places.
    fn above(&self, places: u32) -> Scale {
        self.0.iter().find(|step| **step > places).map_or(Scale::All, |step| Scale::Places(*step))
    }

    /// The step for a size of test: the first, the second, the last, and all places.
    fn of(&self, size: TestSize) -> Scale {
        let step = match size {
            TestSize::VerySmall => self.0.first(),
            TestSize::Small => self.0.get(1).or(self.0.first()),
            TestSize::Large => self.0.last(),
            TestSize::Implement => None,
        };
        step.map_or(Scale::All, |n| Scale::Places(*n))
    }
}

/// In how many places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// In so many.
    Places(u32),
    /// In all there are.
    All,
}

/// One cycle of a ramp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RampCycle {
    /// Its id.
    pub id: String,
    /// The cycle that it follows, where the plan names one.
    pub follows: Option<String>,
    /// Where it stands.
    pub state: State,
    /// In how many places it was tested.
    pub scale: u32,
    /// The conditions of the test.
    pub context: BTreeMap<String, String>,
    /// The signal of its last study.
    pub signal: Option<Signal>,
    /// What was decided.
    pub decision: Option<Choice>,
    /// Whether the study recommended to adopt, and the team did: the only way to a larger scale.
    pub is_confirmed: bool,
}

/// What people say about the next test; the table of sizes then limits the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outlook {
    /// How sure they are; `None` follows the evidence of the ramp.
    #[serde(default)]
    pub belief: Option<Belief>,
    /// What a failure would cost.
    pub cost_of_failure: FailureCost,
    /// Whether people want it.
    pub readiness: Readiness,
}

/// A chain of cycles on one idea, and the next step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// Its cycles, in the order of their tests; cancelled ones too, for they are part of the story.
    pub cycles: Vec<RampCycle>,
    /// The largest number of places in which the change was confirmed.
    pub confirmed_at: Option<u32>,
    /// Every condition of the confirmed cycles, with its values.
    pub confirmed_contexts: BTreeMap<String, BTreeSet<String>>,
    /// How sure one may be, by the evidence: high after two confirmed cycles under different conditions.
    pub belief: Belief,
    /// The size of the next test by the table, where an outlook was given.
    pub test_size: Option<TestSize>,
    /// In how many places to test next; none for a change that is abandoned or confirmed everywhere.
    pub next: Option<Scale>,
    /// Why.
    pub reason: RampReason,
    /// Caveats.
    pub notes: Vec<Note>,
}

/// Puts the cycles of one idea in order, and says how large the next test should be.
///
/// A step up needs a cycle that was confirmed at the present scale: adopted, as its study recommended. A test under new
/// conditions (another grade, another school type) widens the contexts and not the scale. An abandoned change has no
/// next step. With an outlook the next step is at most the one that [`size_of_test`] allows.
///
/// # Arguments
/// `cycles`: all cycles, of whatever idea; `of`: the id of one of the chain. The chain holds the cycles that test the same
/// idea ([`Cycle::tries_same_idea_as`]) and those that a plan says it follows, on and on. `n_places`: how many places there
/// are in all, if that is known: a change confirmed in so many is finished.
///
/// # Errors
/// [`Error::NotFound`] where no cycle has that id.
///
/// # Notes
/// `skipped_step`, `adopted_against_evidence`.
pub fn ramp<'a>(
    cycles: impl IntoIterator<Item = &'a Cycle>,
    of: &str,
    steps: &Steps,
    n_places: Option<u32>,
    outlook: Option<Outlook>,
) -> Result<Ramp> {
    let chain = chain(cycles.into_iter().collect(), of)?;
    let cycles: Vec<RampCycle> = chain.iter().map(|cycle| entry(cycle)).collect();
    let confirmed = || cycles.iter().filter(|cycle| cycle.is_confirmed);
    let mut confirmed_contexts = BTreeMap::<String, BTreeSet<String>>::new();
    for (name, value) in confirmed().flat_map(|cycle| &cycle.context) {
        confirmed_contexts.entry(name.clone()).or_default().insert(value.clone());
    }
    let belief = belief(&chain, &cycles);
    let (evidence, why) = next_step(&cycles, steps, n_places);
    let size = outlook.map(|o| size_of_test(o.belief.unwrap_or(belief), o.cost_of_failure, o.readiness));
    let (next, reason) = match (evidence, size.map(|size| steps.of(size))) {
        (Some(step), Some(limit)) if limit < step => (Some(limit), RampReason::HeldBack),
        (step, _) => (step, why),
    };
    Ok(Ramp {
        confirmed_at: confirmed().map(|cycle| cycle.scale).max(),
        confirmed_contexts,
        belief,
        test_size: size,
        next,
        reason,
        notes: notes(&cycles, steps),
        cycles,
    })
}

/// The cycles of one idea, in the order of their tests.
fn chain<'a>(all: Vec<&'a Cycle>, of: &str) -> Result<Vec<&'a Cycle>> {
    let Some(start) = all.iter().position(|cycle| cycle.id == of) else {
        return Err(Error::NotFound { kind: "cycle".into(), id: of.to_owned() });
    };
    let is_linked = |a: &Cycle, b: &Cycle| {
        a.tries_same_idea_as(b) || a.plan.follows.as_ref() == Some(&b.id) || b.plan.follows.as_ref() == Some(&a.id)
    };
    // With their places among all: of one window and moment, what is followed stands before, else the order is as given.
    let mut rest: Vec<(usize, &Cycle)> = all.into_iter().enumerate().collect();
    let (mut open, mut found) = (vec![rest.swap_remove(start)], vec![]);
    while let Some(cycle) = open.pop() {
        let (linked, others) = rest.into_iter().partition(|(_, other)| is_linked(cycle.1, other));
        rest = others;
        open.extend::<Vec<_>>(linked);
        found.push(cycle);
    }
    let cycles: Vec<&Cycle> = found.iter().map(|(_, cycle)| *cycle).collect();
    found.sort_by_key(|(place, cycle)| (cycle.plan.test, cycle.created_at, n_before(cycle, &cycles), *place));
    Ok(found.into_iter().map(|(_, cycle)| cycle).collect())
}

/// How many cycles a cycle follows, one after the other.
fn n_before(cycle: &Cycle, among: &[&Cycle]) -> usize {
    let before = |cycle: &Cycle| {
        let id = cycle.plan.follows.as_ref()?;
        among.iter().find(|other| other.id == *id).copied()
    };
    // Plans that follow each other in a ring, by mistake, must not hold anything up.
    std::iter::successors(before(cycle), |cycle| before(cycle)).take(among.len()).count()
}

fn entry(cycle: &Cycle) -> RampCycle {
    let decision = cycle.decision.as_ref();
    RampCycle {
        id: cycle.id.clone(),
        follows: cycle.plan.follows.clone(),
        state: cycle.state,
        scale: cycle.plan.scale,
        context: cycle.plan.context.clone(),
        signal: cycle.studies.last().map(|study| study.signal),
        decision: decision.map(|d| d.chosen),
        is_confirmed: decision.is_some_and(|d| d.chosen == Choice::Adopt && d.recommended == Choice::Adopt),
    }
}

/// High after two confirmed cycles that met their predictions under different conditions, with none abandoned since.
fn belief(chain: &[&Cycle], cycles: &[RampCycle]) -> Belief {
    let since = cycles.iter().rposition(|cycle| cycle.decision == Some(Choice::Abandon)).map_or(0, |last| last + 1);
    let is_met = |cycle: &Cycle| cycle.studies.last().is_some_and(|s| s.prediction == PredictionFinding::Met);
    let contexts: BTreeSet<_> = chain
        .iter()
        .zip(cycles)
        .skip(since)
        .filter(|(cycle, entry)| entry.is_confirmed && is_met(cycle))
        .map(|(_, entry)| &entry.context)
        .collect();
    if contexts.len() >= 2 { Belief::High } else { Belief::Low }
}

fn next_step(cycles: &[RampCycle], steps: &Steps, n_places: Option<u32>) -> (Option<Scale>, RampReason) {
    let Some(last) = cycles.iter().rfind(|cycle| cycle.decision.is_some()) else {
        return (Some(steps.first()), RampReason::Begin);
    };
    let is_everywhere = n_places.is_some_and(|all| last.scale >= all);
    match last.decision {
        Some(Choice::Abandon) => (None, RampReason::Stopped),
        _ if !last.is_confirmed => (Some(Scale::Places(last.scale)), RampReason::SameScale),
        _ if is_everywhere => (None, RampReason::Finished),
        _ => {
            let step = steps.above(last.scale);
            let is_all = matches!((step, n_places), (Scale::Places(n), Some(all)) if n >= all);
            (Some(if is_all { Scale::All } else { step }), RampReason::StepUp)
        }
    }
}

fn notes(cycles: &[RampCycle], steps: &Steps) -> Vec<Note> {
    let (mut n_skipped, mut confirmed_at) = (0, 0);
    for cycle in cycles {
        let allowed = match steps.above(confirmed_at) {
            Scale::Places(n) => n,
            Scale::All => u32::MAX,
        };
        n_skipped += usize::from(cycle.scale > allowed);
        if cycle.is_confirmed {
            confirmed_at = confirmed_at.max(cycle.scale);
        }
    }
    let n_against = cycles.iter().filter(|c| c.decision == Some(Choice::Adopt) && !c.is_confirmed).count();
    [(NoteCode::SkippedStep, n_skipped), (NoteCode::AdoptedAgainstEvidence, n_against)]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(code, count)| Note::new(code, count))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_rise() {
        assert!(Steps::new(&[1, 3, 5, 25]).is_ok());
        for wrong in [&[][..], &[0, 1], &[1, 1], &[3, 1]] {
            assert_eq!(Steps::new(wrong).unwrap_err().code(), "invalid_option");
        }
    }

    #[test]
    fn a_size_of_test_is_a_step() {
        let steps = Steps::default();
        let of: Vec<Scale> = TestSize::ALL.iter().map(|size| steps.of(*size)).collect();
        assert_eq!(of, [Scale::Places(1), Scale::Places(3), Scale::Places(25), Scale::All]);
        assert!(Scale::Places(25) < Scale::All);
    }
}
