//! The plan of a cycle: what is changed, what it should do, and how it will be judged; locked before the data.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Analysis, Comparison, FidelityRule, Prediction, Selection};
use crate::Result;
use crate::measure::{Kind, Measure};
use crate::record::{Record, hash_of, invalid, within};

/// What must not get worse while the outcome improves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// The measure.
    pub measure: Measure,
    /// The largest loss that would not matter, in the measure's unit: 0 or more.
    pub margin: f64,
}

impl Guard {
    /// A guard that allows a loss smaller than `margin`.
    pub fn new(measure: Measure, margin: f64) -> Self {
        Self { measure, margin }
    }
}

impl Record for Guard {
    const KIND: &'static str = "Guard";

    fn validate(&self) -> Result<()> {
        within(Self::KIND, "measure", self.measure.validate())?;
        if !(self.margin >= 0.0 && self.margin.is_finite()) {
            return Err(invalid(Self::KIND, "margin", "is the largest loss that would not matter: 0 or more"));
        }
        Ok(())
    }
}

/// Something to be done: a step of the test, or of collecting its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// What.
    pub what: String,
    /// Who does it.
    #[serde(default)]
    pub who: String,
    /// On or by which day.
    #[serde(default)]
    pub when: Option<Date>,
    /// Where.
    #[serde(default, rename = "where")]
    pub place: String,
}

impl Record for Task {
    const KIND: &'static str = "Task";

    fn validate(&self) -> Result<()> {
        if self.what.trim().is_empty() { Err(invalid(Self::KIND, "what", "must not be empty")) } else { Ok(()) }
    }
}

/// The plan of a cycle. Once locked it does not change: amendments stand beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What is to be accomplished: for whom, how much, by when.
    pub aim: String,
    /// The change that is tested.
    pub change: String,
    /// The measure that tells whether the change is an improvement.
    pub outcome: Measure,
    /// First and last day of the baseline, both included.
    pub baseline: [Date; 2],
    /// First and last day of the test window, both included; after the baseline.
    pub test: [Date; 2],
    /// Measures that tell whether the change reaches the classroom.
    #[serde(default)]
    pub process: Vec<Measure>,
    /// Measures that must not get worse, each with its margin.
    #[serde(default)]
    pub guards: Vec<Guard>,
    /// What the team expects to see; at least one is needed to lock the plan.
    #[serde(default)]
    pub predictions: Vec<Prediction>,
    /// How the outcome will be judged; "auto" is settled when the plan is locked, by the shape of the data: classes with
    /// a comparison, a standard, proportions, rates and counts, or a series. Other measures are judged by their own kind.
    #[serde(default = "auto")]
    pub analysis: Analysis,
    /// Days from the first day of the test until the change can be expected to show in the outcome.
    #[serde(default)]
    pub lag_days: u32,
    /// How many fair tries (carried out as planned) an idea gets before it can be abandoned for lack of a signal.
    #[serde(default = "two")]
    pub fair_tries: u32,
    /// A short title.
    #[serde(default)]
    pub title: String,
    /// The question that this cycle should answer.
    #[serde(default)]
    pub question: String,
    /// The driver or goal that the change serves, and why it should work.
    #[serde(default)]
    pub theory: String,
    /// The practice that is tested, if it has a name: cycles of one practice count as tries of the same idea. Without
    /// it, cycles with the same `change` do.
    #[serde(default)]
    pub practice: Option<String>,
    /// The team that owns the cycle.
    #[serde(default)]
    pub team: String,
    /// The cycle that this one follows: its id, where the change was adapted and tested again.
    #[serde(default)]
    pub follows: Option<String>,
    /// In how many classrooms (or other places) the change is tested: 1, 3, 5 ...
    #[serde(default = "one")]
    pub scale: u32,
    /// The conditions of the test ("grade": "5", "program": "dual language").
    #[serde(default)]
    pub context: BTreeMap<String, String>,
    /// The steps of the test.
    #[serde(default)]
    pub tasks: Vec<Task>,
    /// How the data will be collected.
    #[serde(default)]
    pub data_plan: Vec<Task>,
    /// Classes with which those that try the change are compared; without it before is compared with after.
    #[serde(default)]
    pub comparison: Option<Comparison>,
    /// How the units of the test were chosen, where their figures had to do with it.
    #[serde(default)]
    pub selection: Option<Selection>,
    /// What to look for to see whether the change is carried out.
    #[serde(default)]
    pub checklist: Vec<String>,
    /// From which share of the checklist on the change counts as carried out: 80% as planned, 60% in part where left out.
    #[serde(default)]
    pub fidelity: Option<FidelityRule>,
}

/// Days from one date to another.
pub(crate) fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}

fn auto() -> Analysis {
    Analysis::Auto
}

fn one() -> u32 {
    1
}

fn two() -> u32 {
    2
}

impl Plan {
    /// A plan with what every plan needs; predictions, guards and the rest are added as fields.
    pub fn new(
        aim: impl Into<String>,
        change: impl Into<String>,
        outcome: Measure,
        baseline: [Date; 2],
        test: [Date; 2],
    ) -> Self {
        Self {
            aim: aim.into(),
            change: change.into(),
            outcome,
            baseline,
            test,
            process: vec![],
            guards: vec![],
            predictions: vec![],
            analysis: auto(),
            lag_days: 0,
            fair_tries: two(),
            title: String::new(),
            question: String::new(),
            theory: String::new(),
            practice: None,
            follows: None,
            team: String::new(),
            scale: one(),
            context: BTreeMap::new(),
            tasks: vec![],
            data_plan: vec![],
            comparison: None,
            selection: None,
            checklist: vec![],
            fidelity: None,
        }
    }

    /// All measures of the plan: the outcome, the process measures, the guards.
    pub fn measures(&self) -> impl Iterator<Item = &Measure> {
        std::iter::once(&self.outcome).chain(&self.process).chain(self.guards.iter().map(|guard| &guard.measure))
    }

    /// The measure of this name.
    pub fn measure(&self, name: &str) -> Option<&Measure> {
        self.measures().find(|measure| measure.name == name)
    }

    /// The same plan with its analysis settled, as the lock stores it.
    #[must_use]
    pub fn resolved(mut self) -> Self {
        self.analysis = self.analysis_of(&self.outcome);
        self
    }

    /// How a measure of the plan is judged: the outcome as the plan says, all others by their own kind.
    pub fn analysis_of(&self, measure: &Measure) -> Analysis {
        let is_outcome = measure.name == self.outcome.name;
        match (&self.comparison, measure.standard) {
            _ if is_outcome && self.analysis != Analysis::Auto => self.analysis,
            (Some(_), _) if is_outcome && self.is_paired() => Analysis::Ancova,
            (Some(_), _) if is_outcome => Analysis::DifferenceInDifferences,
            (_, Some(_)) => Analysis::Standard,
            _ => match measure.kind {
                Kind::Proportion => Analysis::Proportions,
                Kind::Rate | Kind::Count => Analysis::Rates,
                Kind::Mean | Kind::Median => Analysis::Series,
            },
        }
    }

    /// Whether a student's score before can be held against the same student's score after.
    pub(super) fn is_paired(&self) -> bool {
        self.outcome.student.is_some() || self.comparison.as_ref().is_some_and(|comparison| comparison.prior.is_some())
    }

    /// From which share of the checklist on the change counts as carried out.
    pub fn fidelity_rule(&self) -> FidelityRule {
        self.fidelity.clone().unwrap_or_default()
    }

    /// What it tries, as two plans of the same idea say it alike: the practice, or, without one, the change; and which of the
    /// two it is.
    pub fn idea(&self) -> (&'static str, &str) {
        match &self.practice {
            Some(practice) => ("practice", practice.trim()),
            None => ("change", self.change.trim()),
        }
    }

    /// SHA-256 of the canonical JSON of the resolved plan.
    ///
    /// # Errors
    /// [`crate::Error::Numerical`] if the plan cannot be written as JSON.
    pub fn hash(&self) -> Result<String> {
        hash_of(&self.clone().resolved())
    }
}

impl Record for Plan {
    const KIND: &'static str = "Plan";

    fn validate(&self) -> Result<()> {
        for (path, text) in [("aim", &self.aim), ("change", &self.change)] {
            if text.trim().is_empty() {
                return Err(invalid(Self::KIND, path, "must not be empty"));
            }
        }
        within(Self::KIND, "outcome", self.outcome.validate())?;
        let placed = |list: &str, i: usize, result| within(Self::KIND, &format!("{list}[{i}]"), result);
        for (i, measure) in self.process.iter().enumerate() {
            placed("process", i, measure.validate())?;
        }
        for (i, guard) in self.guards.iter().enumerate() {
            placed("guards", i, guard.validate())?;
        }
        for (i, prediction) in self.predictions.iter().enumerate() {
            placed("predictions", i, prediction.validate())?;
        }
        for (i, task) in self.tasks.iter().enumerate() {
            placed("tasks", i, task.validate())?;
        }
        for (i, task) in self.data_plan.iter().enumerate() {
            placed("data_plan", i, task.validate())?;
        }
        if let Some(comparison) = &self.comparison {
            within(Self::KIND, "comparison", comparison.validate())?;
        }
        if let Some(selection) = &self.selection {
            within(Self::KIND, "selection", selection.validate())?;
        }
        if let Some(fidelity) = &self.fidelity {
            within(Self::KIND, "fidelity", fidelity.validate())?;
        }
        if let Some(i) = self.checklist.iter().position(|item| item.trim().is_empty()) {
            return Err(invalid(Self::KIND, &format!("checklist[{i}]"), "must not be empty"));
        }
        if self.fair_tries == 0 {
            return Err(invalid(Self::KIND, "fair_tries", "must be 1 or more"));
        }
        if self.scale == 0 {
            return Err(invalid(Self::KIND, "scale", "must be 1 or more"));
        }
        if self.practice.as_ref().is_some_and(|practice| practice.trim().is_empty()) {
            return Err(invalid(Self::KIND, "practice", "must not be empty; leave it out where there is none"));
        }
        if self.follows.as_ref().is_some_and(|id| id.trim().is_empty()) {
            return Err(invalid(Self::KIND, "follows", "must be the id of a cycle; leave it out where there is none"));
        }
        Ok(())
    }
}
