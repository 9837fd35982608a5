//! What the cycles of a practice say by a day: every closed one counts, whatever was decided.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{
    Choice, CountsAs, Cycle, GATES, Gate, GuardFinding, Practice, PracticeCycle, PracticeRules, PracticeState, Signal,
    Study,
};
use crate::record::date_of;
use crate::stats::pooling::{MIN_SITES, PoolSpec, Prediction, Summary, summarise};

/// The cycles of a practice: those whose plan names it.
pub(super) fn own<'a>(practice: &Practice, cycles: &'a [Cycle]) -> Vec<&'a Cycle> {
    cycles.iter().filter(|cycle| cycle.plan.practice.as_ref().is_some_and(|title| practice.is_called(title))).collect()
}

/// A closed cycle: the study that was decided on, and what was decided.
#[derive(Debug, Clone, Copy)]
struct Closed<'a> {
    cycle: &'a Cycle,
    study: &'a Study,
    chosen: Choice,
    on: Date,
}

impl<'a> Closed<'a> {
    /// The cycle, if it was decided by a day.
    fn by(cycle: &'a Cycle, as_of: Date) -> Option<Self> {
        let (decision, study) = (cycle.decision.as_ref()?, cycle.studies.last()?);
        let on = date_of(decision.at);
        (on <= as_of).then_some(Self { cycle, study, chosen: decision.chosen, on })
    }

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
}

/// Who tested: the team where one is named, else whoever drafted the cycle.
fn tester(cycle: &Cycle) -> &str {
    let team = cycle.plan.team.trim();
    if team.is_empty() { cycle.created_by.trim() } else { team }
}

fn is_by(cycle: &Cycle, person: &str) -> bool {
    let same = |name: &str| name.trim().to_lowercase() == person.trim().to_lowercase();
    !person.trim().is_empty() && (same(&cycle.plan.team) || same(&cycle.created_by))
}

/// A cycle of a practice as it counts by a day; `None` where it was not drafted by then.
pub(super) fn counted(practice: &Practice, cycle: &Cycle, as_of: Date) -> Option<PracticeCycle> {
    if date_of(cycle.created_at) > as_of {
        return None;
    }
    let closed = Closed::by(cycle, as_of);
    let cancelled_on = cycle.cancelled.as_ref().map(|one| date_of(one.at)).filter(|on| *on <= as_of);
    let counts = match &closed {
        Some(one) if one.has_failed() => CountsAs::Against,
        Some(one) if one.chosen == Choice::Adopt => CountsAs::For,
        Some(_) => CountsAs::Neither,
        None if cancelled_on.is_some() => CountsAs::Cancelled,
        None => CountsAs::Open,
    };
    let ends = closed.as_ref().and_then(|one| one.study.outcome.signed());
    let [starts, _] = cycle.plan.test;
    Some(PracticeCycle {
        id: cycle.id.clone(),
        by: tester(cycle).to_owned(),
        is_by_originator: is_by(cycle, &practice.originator),
        context: context_words(&cycle.plan.context),
        starts,
        ends: cycle.plan.test[1],
        closed_on: closed.as_ref().map(|one| one.on).or(cancelled_on),
        signal: closed.as_ref().map(|one| one.study.signal),
        decision: closed.as_ref().map(|one| one.chosen),
        is_harmful: closed.as_ref().is_some_and(Closed::is_harmful),
        estimate: ends.map(|(effect, ..)| effect),
        lo: ends.map(|(_, lo, _)| lo),
        hi: ends.map(|(.., hi)| hi),
        counts,
    })
}

/// The days on which what the cycles say may change.
pub(super) fn days<'a>(own: &'a [&Cycle], rules: &'a PracticeRules) -> impl Iterator<Item = Date> + 'a {
    own.iter().flat_map(move |cycle| {
        let closed = cycle.decision.as_ref().map(|decision| date_of(decision.at));
        // A failure counts against the last term for as long as that lasts.
        let forgotten = closed.map(|on| on.saturating_add(jiff::Span::new().days(i64::from(rules.term_days) + 1)));
        [Some(date_of(cycle.created_at)), cycle.locked_on(), closed, forgotten].into_iter().flatten()
    })
}

/// Conditions as words: "grade 5, program dual language".
fn context_words(context: &BTreeMap<String, String>) -> String {
    context.iter().map(|(name, value)| format!("{} {}", name.trim(), value.trim())).collect::<Vec<_>>().join(", ")
}

/// What the cycles of a practice say by a day.
pub(super) struct Evidence<'a> {
    closed: Vec<Closed<'a>>,
    n_locked: usize,
    n_cancelled: usize,
    pub(super) adopters: BTreeSet<String>,
    pub(super) contexts: BTreeSet<String>,
    pub(super) failed_contexts: BTreeSet<String>,
    measures: BTreeSet<(String, u32)>,
    n_effects: usize,
    pooled: Option<Summary>,
    pub(super) as_of: Date,
}

impl<'a> Evidence<'a> {
    /// Of the practice's own cycles.
    pub(super) fn new(practice: &Practice, own: &[&'a Cycle], rules: &PracticeRules, as_of: Date) -> Self {
        let mut closed: Vec<Closed> = own.iter().filter_map(|cycle| Closed::by(cycle, as_of)).collect();
        // By the moment, so that the order within a day does not hang on ids, which are drawn.
        let moment = |one: &Closed| one.cycle.decision.as_ref().map(|decision| decision.at);
        closed.sort_by(|a, b| moment(a).cmp(&moment(b)).then_with(|| a.cycle.id.cmp(&b.cycle.id)));
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
        let adopters =
            adopted().filter(|c| !is_by(c.cycle, &practice.originator)).map(|c| tester(c.cycle).to_owned()).collect();
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
    pub(super) fn missing(&self, gate: Gate, rules: &PracticeRules) -> Option<String> {
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

    /// How many of the closed cycles were decided so.
    pub(super) fn decided(&self, choice: Choice) -> u32 {
        count(self.closed.iter().filter(|c| c.chosen == choice).count())
    }

    /// The pooled effect, where all cycles measured the same.
    pub(super) fn estimate(&self) -> Option<&Summary> {
        self.pooled.as_ref().filter(|_| self.measures.len() == 1)
    }

    pub(super) fn n_closed(&self) -> u32 {
        count(self.closed.len())
    }

    pub(super) fn n_cancelled(&self) -> u32 {
        count(self.n_cancelled)
    }

    pub(super) fn n_without_estimate(&self) -> u32 {
        count(self.closed.len() - self.n_effects)
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The effects of cycles together, from three on: random effects by restricted maximum likelihood, with the interval of
/// Hartung & Knapp. `None` where they cannot be pooled.
fn pooled(effects: &[f64], variances: &[f64], level: f64) -> Option<Summary> {
    // No new site is predicted here, so the cheap rule for that will do.
    let spec = PoolSpec { level, prediction: Prediction::Plugin, ..PoolSpec::default() };
    if effects.len() < MIN_SITES { None } else { summarise(effects, variances, &spec).ok() }
}
