//! What keeps a plan from being locked, or from being judged at all.

use std::collections::BTreeSet;

use super::plan::days_between;
use super::{Analysis, ChosenBecause, Plan, Prediction};
use crate::measure::{Direction, Kind};
use crate::record::{Record, invalid};
use crate::{Error, Result};

impl Plan {
    /// What is missing before the plan can be locked, each with what to do; empty if nothing is.
    pub fn lockable(&self) -> Vec<String> {
        let mut missing = self.contradictions();
        missing.extend(self.hopeless());
        for measure in self.measures().filter(|measure| measure.direction == Direction::Neutral) {
            missing
                .push(format!("measure {:?} has no good side: set its direction to \"up\" or \"down\"", measure.name));
        }
        if self.predictions.is_empty() {
            missing.push("no prediction: say what change you expect in the outcome, and how sure you are".into());
        }
        for (i, one) in self.predictions.iter().enumerate() {
            let direction = self.measure(&one.measure).map_or(Direction::Neutral, |measure| measure.direction);
            let region = |prediction: &Prediction| prediction.region(direction);
            let excludes = |other: &&Prediction| {
                other.measure == one.measure
                    && region(one).zip(region(other)).is_some_and(|(one, other)| one.excludes(&other))
            };
            if self.predictions.iter().skip(i + 1).any(|other| excludes(&other)) {
                missing.push(format!("two predictions about {:?} exclude each other: keep one", one.measure));
            }
        }
        for prediction in &self.predictions {
            if self.measure(&prediction.measure).is_none() {
                let names: Vec<_> = self.measures().map(|measure| format!("{:?}", measure.name)).collect();
                missing.push(format!(
                    "the prediction is about {:?}, but the plan's measures are {}",
                    prediction.measure,
                    names.join(", ")
                ));
            }
            let [from, to] = self.test;
            if let Some(by) = prediction.by.filter(|by| !(from..=to).contains(by)) {
                missing.push(format!(
                    "the prediction about {:?} is for {by}, outside of the test window {from} to {to}",
                    prediction.measure
                ));
            }
        }
        missing
    }

    /// What would leave every study of the plan without a verdict.
    fn hopeless(&self) -> Vec<String> {
        let mut found = vec![];
        let [from, to] = self.test;
        if i64::from(self.lag_days) > days_between(from, to) && from <= to {
            found.push(format!(
                "the change is expected to show after {} days, but the test window ends after {}: make it longer",
                self.lag_days,
                days_between(from, to)
            ));
        }
        let needs_three = self.measures().find(|measure| {
            matches!(self.analysis_of(measure), Analysis::Series | Analysis::Proportions) && measure.standard.is_none()
        });
        for (name, [from, to]) in [("baseline", self.baseline), ("test", self.test)] {
            let days = days_between(from, to) + 1;
            if let Some(measure) = needs_three.filter(|_| (1..3).contains(&days)) {
                found.push(format!(
                    "the {name} window has {days} day(s), but {:?} needs points on 3 dates in it: make it longer",
                    measure.name
                ));
            }
        }
        if self.comparison.as_ref().is_some_and(|comparison| comparison.treated.len() == 1) {
            found.push(
                "the change is tried in one class, which cannot be told from that class's own year: add a class".into(),
            );
        }
        if let Some(selection) = self.selection.as_ref().filter(|one| one.chosen_because == ChosenBecause::Worst) {
            let is_late = selection.on.is_some_and(|on| on < self.baseline[1]);
            if selection.unit.is_none() && !is_late && self.analysis_of(&self.outcome) != Analysis::Standard {
                found.push(
                    "the units were chosen because their figures were bad, and would come back in part by themselves: give \
                     the data of all candidates (selection.unit and selection.chosen), or a baseline that goes on after \
                     the day of the choice (selection.on)"
                        .into(),
                );
            }
        }
        found
    }

    /// What makes a plan impossible to judge at all, locked or not.
    pub(crate) fn contradictions(&self) -> Vec<String> {
        let mut found = vec![];
        for (name, [from, to]) in [("baseline", self.baseline), ("test", self.test)] {
            if from > to {
                found.push(format!("the {name} window ends ({to}) before it begins ({from}): exchange the dates"));
            }
        }
        let (baseline_end, test_start) = (self.baseline[1], self.test[0]);
        if baseline_end >= test_start {
            found.push(format!(
                "the baseline ends on {baseline_end}, not before the test window begins ({test_start}): end it earlier"
            ));
        }
        let mut seen = BTreeSet::new();
        for measure in self.measures() {
            if !seen.insert(&measure.name) {
                found.push(format!("two measures are called {:?}: give each its own name", measure.name));
            }
        }
        let (outcome, name) = (&self.outcome, &self.outcome.name);
        let needs = match self.analysis {
            Analysis::Proportions if outcome.kind != Kind::Proportion => "an outcome with kind=\"proportion\"",
            Analysis::Rates | Analysis::TwoTotals if !matches!(outcome.kind, Kind::Rate | Kind::Count) => {
                "an outcome with kind=\"rate\" or \"count\""
            }
            Analysis::Standard if outcome.standard.is_none() => "an outcome with a standard",
            Analysis::Ancova if self.comparison.is_none() || !self.is_paired() => {
                "a comparison, with the column of students (outcome.student) or of their earlier scores (comparison.prior)"
            }
            Analysis::DifferenceInDifferences if self.comparison.is_none() => "a comparison",
            _ => return found,
        };
        found.push(format!(
            "analysis {:?} of {name:?} needs {needs}: give it, or leave the analysis open",
            self.analysis.as_str()
        ));
        found
    }
}

/// The plan's contradictions as an error, for those who would judge it.
pub(crate) fn refuse_contradictions(plan: &Plan) -> Result<()> {
    let found = plan.contradictions();
    if found.is_empty() { Ok(()) } else { Err(invalid(Plan::KIND, "", found.join("; "))) }
}

/// The plan's reasons not to be locked, as an error.
pub(crate) fn refuse_unlockable(plan: &Plan) -> Result<()> {
    let missing = plan.lockable();
    if missing.is_empty() { Ok(()) } else { Err(Error::PlanNotLockable { missing }) }
}
