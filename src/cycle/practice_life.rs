//! How far a practice has come: from a suspicion to the usual way of working, by gates that are data.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes::define_codes;
use super::spread::{Spread, spread};
use super::{Adoption, Choice, Cycle, GuardFinding, Practice, Signal, Study};
use crate::Result;
use crate::record::{Record, date_of, invalid};
use crate::stats::pooling::{MIN_SITES, PoolSpec, Summary, summarise};

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

/// How far a practice has come, why, and what is missing for the next step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PracticeStanding {
    /// The practice.
    pub practice: String,
    /// The day on which this holds; nothing later was read.
    pub as_of: Date,
    /// How far it has come.
    pub state: PracticeState,
    /// All gates.
    pub gates: Vec<GateCheck>,
    /// What is missing for the next state, in plain words.
    pub missing: Vec<String>,
    /// Closed cycles: all that were decided, whatever was decided.
    pub n_closed: u32,
    /// Closed cycles by decision.
    pub n_adopt: u32,
    /// Closed cycles that were adapted.
    pub n_adapt: u32,
    /// Closed cycles that were abandoned.
    pub n_abandon: u32,
    /// Closed cycles that continue the test.
    pub n_continue_test: u32,
    /// Cycles that were given up before a decision.
    pub n_cancelled: u32,
    /// Closed cycles whose data gave no estimate; they count as closed and cannot be pooled.
    pub n_without_estimate: u32,
    /// People or teams other than the originator who adopted it.
    pub adopters: Vec<String>,
    /// Conditions under which it was adopted.
    pub contexts: Vec<String>,
    /// Conditions under which it failed after it had been confirmed, and has not been adopted since.
    pub failed_contexts: Vec<String>,
    /// The pooled effect, better being positive, in the unit of the shared measure; `None` with fewer than three.
    pub estimate: Option<f64>,
    /// The lower end of its interval.
    pub lo: Option<f64>,
    /// The upper end.
    pub hi: Option<f64>,
    /// The variance of true effects between cycles.
    pub tau2: Option<f64>,
    /// Places that were offered it.
    pub n_offered: u32,
    /// Places that tried it.
    pub n_tried: u32,
    /// Places that tried it long enough ago to say whether they keep it.
    pub n_due: u32,
    /// Those of them that do.
    pub n_kept: u32,
}

impl Record for PracticeStanding {
    const KIND: &'static str = "PracticeStanding";

    fn validate(&self) -> Result<()> {
        Ok(())
    }
}

impl Record for GateCheck {
    const KIND: &'static str = "GateCheck";

    fn validate(&self) -> Result<()> {
        Ok(())
    }
}

/// How far a practice has come by a day: a pure function of its record, its cycles and its adoptions.
///
/// A state is reached when the gates of it and of all before it are passed ([`GATES`]). Cycles belong to the practice
/// when their plan names it; every closed one counts, whatever was decided. The benefit is the random-effects mean of
/// all of them with the interval of Hartung and Knapp. A practice that was confirmed and then fails under new
/// conditions (worse, harm, or abandoned) is back in testing until it is adopted there.
///
/// # Errors
/// [`crate::Error::InvalidRecord`] for a practice, adoptions or rules that break their own.
///
/// ```
/// use brightspot::cycle::{Practice, PracticeRules, PracticeState, practice_state};
/// use jiff::civil::date;
///
/// let practice = Practice { what: "Start with three questions from last week.".into(), ..Practice::new("retrieval") };
/// let standing = practice_state(&practice, &[], &[], &PracticeRules::default(), date(2026, 11, 2))?;
/// assert_eq!(standing.state, PracticeState::Suspected);
/// assert_eq!(standing.missing.len(), 3);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn practice_state(
    practice: &Practice,
    cycles: &[Cycle],
    adoptions: &[Adoption],
    rules: &PracticeRules,
    as_of: Date,
) -> Result<PracticeStanding> {
    practice.validate()?;
    rules.validate()?;
    adoptions.iter().try_for_each(Record::validate)?;
    let evidence = Evidence::new(practice, cycles, rules, as_of);
    let spread = spread(adoptions, rules, as_of);
    let gates: Vec<GateCheck> = GATES
        .iter()
        .map(|&(state, gate)| {
            let missing = missing(gate, practice, &evidence, &spread, rules).unwrap_or_default();
            GateCheck { state, gate, is_passed: missing.is_empty(), missing }
        })
        .collect();
    let passes = |state: PracticeState| gates.iter().filter(|g| g.state == state).all(|g| g.is_passed);
    let is_retired = practice.retired.as_ref().is_some_and(|r| r.on <= as_of);
    let reached = LADDER.iter().take_while(|state| passes(**state)).last().copied();
    let state = if is_retired { PracticeState::Retired } else { reached.unwrap_or(PracticeState::Suspected) };
    let next = LADDER.iter().find(|next| **next > state);
    let missing = gates.iter().filter(|g| Some(&g.state) == next && !g.is_passed).map(|g| g.missing.clone()).collect();
    Ok(evidence.standing(practice, &spread, state, gates, missing, as_of))
}

/// The states in the order in which they are reached, each with gates of its own.
const LADDER: [PracticeState; 5] = [
    PracticeState::Described,
    PracticeState::Testing,
    PracticeState::Confirmed,
    PracticeState::Spreading,
    PracticeState::Standard,
];

/// A closed cycle: the study that was decided on, and what was decided.
#[derive(Debug, Clone, Copy)]
struct Closed<'a> {
    cycle: &'a Cycle,
    study: &'a Study,
    chosen: Choice,
    on: Date,
}

impl Closed<'_> {
    /// The effect, better being positive, and its variance.
    fn effect(&self) -> Option<(f64, f64)> {
        let (effect, ..) = self.study.outcome.signed()?;
        let se = self.study.outcome.se?;
        (se > 0.0 && se.is_finite()).then_some((effect, se * se))
    }

    fn is_harmful(&self) -> bool {
        self.study.guards == GuardFinding::Harmed
    }

    fn has_failed(&self) -> bool {
        self.study.signal == Signal::Worsened || self.is_harmful() || self.chosen == Choice::Abandon
    }

    fn context(&self) -> String {
        context_words(&self.cycle.plan.context)
    }

    /// Who tested: the team where one is named, else whoever drafted the cycle.
    fn tester(&self) -> &str {
        let team = self.cycle.plan.team.trim();
        if team.is_empty() { self.cycle.created_by.trim() } else { team }
    }

    fn is_by(&self, person: &str) -> bool {
        let same = |name: &str| name.trim().to_lowercase() == person.trim().to_lowercase();
        !person.trim().is_empty() && (same(&self.cycle.plan.team) || same(&self.cycle.created_by))
    }
}

/// Conditions as words: "grade 5, program dual language".
fn context_words(context: &BTreeMap<String, String>) -> String {
    context.iter().map(|(name, value)| format!("{} {}", name.trim(), value.trim())).collect::<Vec<_>>().join(", ")
}

/// What the cycles of a practice say by a day.
struct Evidence<'a> {
    closed: Vec<Closed<'a>>,
    n_locked: usize,
    n_cancelled: usize,
    adopters: BTreeSet<String>,
    contexts: BTreeSet<String>,
    failed_contexts: BTreeSet<String>,
    measures: BTreeSet<(String, u32)>,
    n_effects: usize,
    pooled: Option<Summary>,
    as_of: Date,
}

impl<'a> Evidence<'a> {
    fn new(practice: &Practice, cycles: &'a [Cycle], rules: &PracticeRules, as_of: Date) -> Self {
        let own: Vec<&Cycle> = cycles
            .iter()
            .filter(|cycle| cycle.plan.practice.as_ref().is_some_and(|name| name.trim() == practice.title.trim()))
            .collect();
        let mut closed: Vec<Closed> = own
            .iter()
            .filter_map(|cycle| {
                let decision = cycle.decision.as_ref()?;
                let on = date_of(decision.at);
                let study = cycle.studies.last()?;
                (on <= as_of).then_some(Closed { cycle, study, chosen: decision.chosen, on })
            })
            .collect();
        closed.sort_by(|a, b| a.on.cmp(&b.on).then_with(|| a.cycle.id.cmp(&b.cycle.id)));
        let is_by = |at: jiff::Timestamp| date_of(at) <= as_of;
        let n_locked = own.iter().filter(|c| c.locked_at.is_some_and(is_by)).count();
        let n_cancelled = own.iter().filter(|c| c.cancelled.as_ref().is_some_and(|x| is_by(x.at))).count();
        let mut evidence = Self::of(practice, closed, rules, as_of);
        evidence.n_locked = n_locked;
        evidence.n_cancelled = n_cancelled;
        evidence.failed_contexts = evidence.failures(practice, rules);
        evidence
    }

    fn of(practice: &Practice, closed: Vec<Closed<'a>>, rules: &PracticeRules, as_of: Date) -> Self {
        let adopted = || closed.iter().filter(|c| c.chosen == Choice::Adopt);
        let adopters = adopted().filter(|c| !c.is_by(&practice.originator)).map(|c| c.tester().to_owned()).collect();
        let contexts = adopted().map(Closed::context).collect();
        let measured: Vec<(&Closed, (f64, f64))> = closed.iter().filter_map(|c| Some((c, c.effect()?))).collect();
        let measures =
            measured.iter().map(|(c, _)| (c.study.outcome.measure.clone(), c.study.outcome.version)).collect();
        let (effects, variances): (Vec<f64>, Vec<f64>) = measured.iter().map(|(_, e)| *e).unzip();
        Self {
            adopters,
            contexts,
            failed_contexts: BTreeSet::new(),
            n_effects: effects.len(),
            pooled: pooled(&effects, &variances, rules.level),
            measures,
            closed,
            n_locked: 0,
            n_cancelled: 0,
            as_of,
        }
    }

    /// The conditions that were new after the practice had been confirmed, in which it failed and was not adopted since.
    fn failures(&self, practice: &Practice, rules: &PracticeRules) -> BTreeSet<String> {
        let mut failed = BTreeSet::new();
        let mut known: BTreeSet<String> = BTreeSet::new();
        let mut was_confirmed = false;
        for (place, cycle) in self.closed.iter().enumerate() {
            let context = cycle.context();
            if cycle.chosen == Choice::Adopt {
                failed.remove(&context);
            } else if was_confirmed && cycle.has_failed() && !known.contains(&context) {
                failed.insert(context.clone());
            }
            if !failed.contains(&context) {
                known.insert(context);
            }
            if !was_confirmed {
                let so_far = self.closed.iter().take(place + 1).copied().collect();
                was_confirmed = Self::of(practice, so_far, rules, self.as_of).is_confirmed(rules);
            }
        }
        failed
    }

    fn is_confirmed(&self, rules: &PracticeRules) -> bool {
        GATES
            .iter()
            .filter(|(state, _)| *state == PracticeState::Confirmed)
            .all(|(_, gate)| self.missing(*gate, rules).is_none())
    }

    /// What is missing for a gate that cycles decide; `None` where it is passed.
    fn missing(&self, gate: Gate, rules: &PracticeRules) -> Option<String> {
        let short = |found: usize, needed: u32, of: &str| {
            (found < needed as usize).then(|| format!("{found} of {needed} {of}"))
        };
        match gate {
            Gate::LockedCycle => (self.n_locked == 0).then(|| "a cycle of it with a locked plan".to_owned()),
            Gate::ClosedCycles => short(self.closed.len(), rules.closed_cycles, "closed cycles"),
            Gate::OtherAdopters => short(
                self.adopters.len(),
                rules.other_adopters,
                "people or teams, other than the originator, who adopted it",
            ),
            Gate::Contexts => {
                short(self.contexts.len(), rules.contexts, "different conditions under which it was adopted")
            }
            Gate::SharedMeasure => (self.measures.len() > 1).then(|| {
                let names: Vec<String> =
                    self.measures.iter().map(|(name, version)| format!("{name} (version {version})")).collect();
                format!("one outcome measure for all of its cycles; they used {}", names.join(", "))
            }),
            Gate::Benefit => match &self.pooled {
                None => Some(format!("{} of {} closed cycles with an estimate to pool", self.n_effects, MIN_SITES)),
                Some(found) => (found.lo <= 0.0).then(|| {
                    format!(
                        "a pooled effect above nothing: all {} closed cycles with an estimate together give {} \
                         ({:.0}% interval {} to {})",
                        self.n_effects,
                        crate::note::brief(found.estimate),
                        100.0 * rules.level,
                        crate::note::brief(found.lo),
                        crate::note::brief(found.hi)
                    )
                }),
            },
            Gate::NoHarm => {
                let n = self.closed.iter().filter(|c| c.is_harmful()).count();
                (n > 0)
                    .then(|| format!("a cycle without harm: a guard measure got worse in {n} of {}", self.closed.len()))
            }
            Gate::HoldsElsewhere => (!self.failed_contexts.is_empty()).then(|| {
                let named = |c: &String| if c.is_empty() { "conditions not named".to_owned() } else { c.clone() };
                let places: Vec<String> = self.failed_contexts.iter().map(named).collect();
                format!("an adoption where it failed since it was confirmed: {}", places.join("; "))
            }),
            Gate::OutcomeHolds => {
                let from = self.as_of.saturating_sub(jiff::Span::new().days(i64::from(rules.term_days)));
                let n = self.closed.iter().filter(|c| c.on >= from && c.has_failed()).count();
                (n > 0).then(|| format!("a term without a failure: {n} of the last term's cycles failed"))
            }
            _ => None,
        }
    }

    fn standing(
        self,
        practice: &Practice,
        spread: &Spread,
        state: PracticeState,
        gates: Vec<GateCheck>,
        missing: Vec<String>,
        as_of: Date,
    ) -> PracticeStanding {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let decided = |choice: Choice| count(self.closed.iter().filter(|c| c.chosen == choice).count());
        let is_poolable = self.measures.len() == 1;
        let pooled = self.pooled.as_ref().filter(|_| is_poolable);
        PracticeStanding {
            practice: practice.title.clone(),
            as_of,
            state,
            gates,
            missing,
            n_closed: count(self.closed.len()),
            n_adopt: decided(Choice::Adopt),
            n_adapt: decided(Choice::Adapt),
            n_abandon: decided(Choice::Abandon),
            n_continue_test: decided(Choice::ContinueTest),
            n_cancelled: count(self.n_cancelled),
            n_without_estimate: count(self.closed.len() - self.n_effects),
            adopters: self.adopters.into_iter().collect(),
            contexts: self.contexts.into_iter().collect(),
            failed_contexts: self.failed_contexts.into_iter().collect(),
            estimate: pooled.map(|p| p.estimate),
            lo: pooled.map(|p| p.lo),
            hi: pooled.map(|p| p.hi),
            tau2: pooled.map(|p| p.tau2),
            n_offered: spread.n_offered,
            n_tried: spread.n_tried,
            n_due: spread.n_due,
            n_kept: spread.n_kept,
        }
    }
}

/// What is missing for a gate, in plain words; `None` where it is passed.
fn missing(
    gate: Gate,
    practice: &Practice,
    evidence: &Evidence,
    spread: &Spread,
    rules: &PracticeRules,
) -> Option<String> {
    let unless = |holds: bool, words: &str| (!holds).then(|| words.to_owned());
    match gate {
        Gate::What => unless(!practice.what.trim().is_empty(), "what people do, in a few sentences"),
        Gate::Ingredients => unless(!practice.active_ingredients.is_empty(), "its active ingredients"),
        Gate::NotThis => unless(!practice.not_this.is_empty(), "what is easily taken for it and is not"),
        Gate::Checklist => unless(!practice.fidelity.is_empty(), "a checklist of fidelity, with at least one item"),
        Gate::Consent => unless(
            practice.originator.trim().is_empty() || practice.consent,
            "the originator's consent to be named; or leave out the name",
        ),
        Gate::TriedByOthers | Gate::Kept | Gate::OneTerm => spread.missing(gate, rules, evidence.as_of),
        _ => evidence.missing(gate, rules),
    }
}

/// The effects of cycles together, from three on: random effects by restricted maximum likelihood, with the interval of
/// Hartung & Knapp. `None` where they cannot be pooled.
fn pooled(effects: &[f64], variances: &[f64], level: f64) -> Option<Summary> {
    let spec = PoolSpec { level, ..PoolSpec::default() };
    if effects.len() < MIN_SITES { None } else { summarise(effects, variances, &spec).ok() }
}
