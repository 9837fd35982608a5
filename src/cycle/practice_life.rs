//! How far a practice has come, and by which steps: from a suspicion to the usual way of working, by gates that are data.

use std::collections::BTreeSet;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes::define_codes;
use super::practice_evidence::{self as evidence, Evidence};
use super::practice_gates::LADDER;
use super::spread::{self, Spread, spread};
use super::{Adoption, Choice, Cycle, GATES, Gate, GateCheck, Practice, PracticeRules, PracticeState, Signal};
use crate::Result;
use crate::record::Record;

define_codes! {
    /// How a cycle counts for its practice.
    CountsAs {
        /// Adopted, and nothing got worse.
        For = "for",
        /// Worse, harm, or abandoned.
        Against = "against",
        /// Decided, without a verdict either way: adapted, or to be tested further.
        Neither = "neither",
        /// Not decided yet.
        Open = "open",
        /// Given up before a decision.
        Cancelled = "cancelled",
    }
}

/// A cycle of a practice, as it counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PracticeCycle {
    /// The cycle.
    pub id: String,
    /// The team that tested, or whoever drafted the cycle.
    pub by: String,
    /// Whether that is the originator of the practice, who does not count as another adopter.
    pub is_by_originator: bool,
    /// The conditions, in words.
    pub context: String,
    /// First day of the test window.
    pub starts: Date,
    /// Last day of the test window.
    pub ends: Date,
    /// The day on which it was decided or given up.
    pub closed_on: Option<Date>,
    /// What the data said about the outcome.
    pub signal: Option<Signal>,
    /// What was decided.
    pub decision: Option<Choice>,
    /// Whether a guard measure was harmed.
    pub is_harmful: bool,
    /// The effect, better being positive.
    pub estimate: Option<f64>,
    /// The lower end of its 90% interval.
    pub lo: Option<f64>,
    /// The upper end.
    pub hi: Option<f64>,
    /// How it counts.
    pub counts: CountsAs,
}

impl Record for PracticeCycle {
    const KIND: &'static str = "PracticeCycle";

    fn validate(&self) -> Result<()> {
        Ok(())
    }
}

/// A state of a practice, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PracticeStep {
    /// The state.
    pub state: PracticeState,
    /// The first day of it.
    pub since: Date,
}

impl Record for PracticeStep {
    const KIND: &'static str = "PracticeStep";

    fn validate(&self) -> Result<()> {
        Ok(())
    }
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
    /// The states it has been in, the first one first; where it fell back, a state occurs again.
    #[serde(default)]
    pub steps: Vec<PracticeStep>,
    /// All of its cycles, in the order of their tests, each as it counts.
    #[serde(default)]
    pub cycles: Vec<PracticeCycle>,
}

impl Record for PracticeStanding {
    const KIND: &'static str = "PracticeStanding";

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
    practice_life(&[(Date::MIN, practice.clone())], cycles, adoptions, rules, as_of)
}

/// As [`practice_state`], of a practice whose record was revised: each version with the day since when it holds, the oldest first.
/// Every day is judged by the version of that day; before the first version, by that.
///
/// # Errors
/// As [`practice_state`]; [`crate::Error::TooFew`] without a version.
pub fn practice_life(
    versions: &[(Date, Practice)],
    cycles: &[Cycle],
    adoptions: &[Adoption],
    rules: &PracticeRules,
    as_of: Date,
) -> Result<PracticeStanding> {
    versions.iter().try_for_each(|(_, practice)| practice.validate())?;
    rules.validate()?;
    adoptions.iter().try_for_each(Record::validate)?;
    let on = |day: Date| versions.iter().rfind(|(since, _)| *since <= day).or(versions.first()).map(|(_, one)| one);
    let Some(practice) = on(as_of) else {
        return Err(crate::Error::TooFew {
            what: "the life of a practice".into(),
            needed: "1 version of its record".into(),
            found: 0,
            remedy: "give the practice".into(),
        });
    };
    let own = evidence::own(practice, cycles);
    let offers: Vec<&Adoption> =
        adoptions.iter().filter(|one| one.practice.as_ref().is_none_or(|title| practice.is_called(title))).collect();
    let judged = |day: Date| Judged::on(on(day).unwrap_or(practice), &own, &offers, rules, day);

    let retired = versions.iter().filter_map(|(_, one)| one.retired.as_ref().map(|r| r.on));
    let written = versions.iter().map(|(since, _)| *since).filter(|since| *since > Date::MIN);
    let days: BTreeSet<Date> =
        evidence::days(&own, rules).chain(spread::days(&offers, rules)).chain(retired).chain(written).collect();
    let mut steps: Vec<PracticeStep> = vec![];
    for since in days.into_iter().filter(|day| *day <= as_of) {
        let state = judged(since).state;
        if steps.last().is_none_or(|last| last.state != state) {
            steps.push(PracticeStep { state, since });
        }
    }
    let now = judged(as_of);
    if steps.is_empty() {
        steps.push(PracticeStep { state: now.state, since: as_of });
    }
    let mut counted: Vec<PracticeCycle> =
        own.iter().filter_map(|cycle| evidence::counted(practice, cycle, as_of)).collect();
    counted.sort_by(|a, b| {
        (a.starts, a.ends, a.closed_on, &a.by, &a.id).cmp(&(b.starts, b.ends, b.closed_on, &b.by, &b.id))
    });
    Ok(now.standing(practice, steps, counted, as_of))
}

/// A practice on a day.
struct Judged<'a> {
    state: PracticeState,
    gates: Vec<GateCheck>,
    evidence: Evidence<'a>,
    spread: Spread,
}

impl<'a> Judged<'a> {
    fn on(practice: &Practice, own: &[&'a Cycle], offers: &[&Adoption], rules: &PracticeRules, day: Date) -> Self {
        let evidence = Evidence::new(practice, own, rules, day);
        let spread = spread(offers, rules, day);
        let gates: Vec<GateCheck> = GATES
            .iter()
            .map(|&(state, gate)| {
                let missing = missing(gate, practice, &evidence, &spread, rules).unwrap_or_default();
                GateCheck { state, gate, is_passed: missing.is_empty(), missing }
            })
            .collect();
        let passes = |state: PracticeState| gates.iter().filter(|g| g.state == state).all(|g| g.is_passed);
        let is_retired = practice.retired.as_ref().is_some_and(|r| r.on <= day);
        let reached = LADDER.iter().take_while(|state| passes(**state)).last().copied();
        let state = if is_retired { PracticeState::Retired } else { reached.unwrap_or(PracticeState::Suspected) };
        Self { state, gates, evidence, spread }
    }

    fn standing(
        self,
        practice: &Practice,
        steps: Vec<PracticeStep>,
        cycles: Vec<PracticeCycle>,
        as_of: Date,
    ) -> PracticeStanding {
        let Self { state, gates, evidence, spread } = self;
        let next = LADDER.iter().find(|next| **next > state);
        let of_next = |gate: &&GateCheck| Some(&gate.state) == next && !gate.is_passed;
        let pooled = evidence.estimate();
        PracticeStanding {
            practice: practice.title.clone(),
            as_of,
            state,
            missing: gates.iter().filter(of_next).map(|gate| gate.missing.clone()).collect(),
            n_closed: evidence.n_closed(),
            n_adopt: evidence.decided(Choice::Adopt),
            n_adapt: evidence.decided(Choice::Adapt),
            n_abandon: evidence.decided(Choice::Abandon),
            n_continue_test: evidence.decided(Choice::ContinueTest),
            n_cancelled: evidence.n_cancelled(),
            n_without_estimate: evidence.n_without_estimate(),
            estimate: pooled.map(|p| p.estimate),
            lo: pooled.map(|p| p.lo),
            hi: pooled.map(|p| p.hi),
            tau2: pooled.map(|p| p.tau2),
            gates,
            adopters: evidence.adopters.into_iter().collect(),
            contexts: evidence.contexts.into_iter().collect(),
            failed_contexts: evidence.failed_contexts.into_iter().collect(),
            n_offered: spread.n_offered,
            n_tried: spread.n_tried,
            n_due: spread.n_due,
            n_kept: spread.n_kept,
            steps,
            cycles,
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
