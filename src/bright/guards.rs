//! Guards: further measures that a bright spot must not pay for its outcome with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::Prediction;
use super::cautions::sd_within;
use super::cells::Places;
use super::input::{BrightInput, Factor};
use super::model::Model;
use super::spec::{GUARD_ALPHA, THRESHOLD_SD};
use super::spots::{against_all, against_peers};
use crate::mixed::Covariate;
use crate::stats::multiplicity::{Adjustment, adjust};
use crate::stats::normal::prob_exceeds;
use crate::{Error, Note, NoteCode, Result};

/// A measure that must not be worse, beside the outcome.
#[derive(Debug, Clone, Copy)]
pub struct Guard<'a> {
    /// What the column is called.
    pub name: &'a str,
    /// One value per row, higher being better; NaN where it is missing.
    pub values: &'a [f64],
    /// How much worse is tolerated, in units of the measure; `None`: a tenth of its standard deviation within period.
    pub margin: Option<f64>,
}

/// What is found about a unit's guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GuardFinding {
    /// Shown to be no worse than the margin (with probability .95).
    NotWorse,
    /// Not shown, and not contradicted.
    CannotTell,
    /// Worse than peers, beyond chance.
    Harmed,
}

impl GuardFinding {
    /// The code, as in JSON and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotWorse => "not_worse",
            Self::CannotTell => "cannot_tell",
            Self::Harmed => "harmed",
        }
    }
}

/// One guard of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct GuardAnswer {
    /// The unit's effect on the guard, shrunken; `None` where the unit has no row with the guard.
    pub effect: Option<f64>,
    /// The standard deviation of its prediction error.
    pub sd: Option<f64>,
    /// The probability that it is not worse than by the margin.
    pub prob_not_worse: Option<f64>,
    /// What is found.
    pub finding: GuardFinding,
    /// Whether the unit keeps it: not harmed, and not worse with at least the probability asked for.
    pub is_kept: bool,
}

/// A guard of all units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct GuardSummary {
    /// What it is called.
    pub name: String,
    /// How much worse is tolerated.
    pub margin: f64,
    /// Rows with a value.
    pub n_obs: usize,
}

/// The guards of every unit, against peers and against all.
pub(crate) struct Guarded {
    pub(crate) guards: Vec<GuardSummary>,
    /// By unit, then by guard.
    pub(crate) peers: Vec<Vec<GuardAnswer>>,
    pub(crate) overall: Vec<Vec<GuardAnswer>>,
    pub(crate) notes: Vec<Note>,
}

/// Models every guard as the outcome is modelled and asks of every unit whether it is worse.
///
/// `not_worse`: P(effect > -margin) >= .95; `harmed`: not that, and P(effect >= 0), adjusted for the number of guards
/// (Holm), at most .05; otherwise `cannot_tell`. All guards must hold, so that none of the former is adjusted (Berger 1982,
/// Technometrics 24:295).
pub(crate) fn guarded(
    input: &BrightInput,
    guards: &[Guard],
    model: &Model,
    min_prob: f64,
    pause: &dyn Fn(usize, usize) -> Result<()>,
) -> Result<Guarded> {
    let n_units = model.effects.len();
    let mut found = Guarded { guards: Vec::new(), peers: vec![], overall: vec![], notes: Vec::new() };
    let mut predictions: Vec<Vec<Option<(Prediction, Prediction)>>> = Vec::new();
    for (position, guard) in guards.iter().enumerate() {
        pause(position, guards.len())?;
        check(guard, input)?;
        let kept = Rows::with(guard, input);
        let fitted = match &kept {
            None => Model::new(&BrightInput { outcome: guard.values, ..*input }),
            Some(rows) => rows.model(input),
        };
        let (fitted, _) = fitted.map_err(|error| named(error, guard.name))?;
        let (outcome, periods) = match &kept {
            None => (guard.values, input.period.map(|p| p.codes)),
            Some(rows) => (rows.outcome.as_slice(), rows.period.as_deref()),
        };
        let margin = guard.margin.unwrap_or_else(|| THRESHOLD_SD * sd_within(outcome, periods));
        if guard.margin.is_none() {
            found.notes.push(Note::new(NoteCode::DefaultMargin, 0).with_value(margin).at(guard.name));
        }
        let n_out = guard.values.len() - outcome.len();
        if n_out > 0 {
            found.notes.push(Note::new(NoteCode::GuardMissing, n_out).at(guard.name));
        }
        found.guards.push(GuardSummary { name: guard.name.to_owned(), margin, n_obs: outcome.len() });
        let at = |effect: &crate::mixed::Effect| {
            let place = fitted.effects.binary_search_by(|e| e.path.cmp(&effect.path)).ok()?;
            fitted.effects.get(place).map(|e| (against_peers(e), against_all(e)))
        };
        predictions.push(model.effects.iter().map(at).collect());
    }
    let answers = |get: fn(&(Prediction, Prediction)) -> Prediction| -> Result<Vec<Vec<GuardAnswer>>> {
        (0..n_units)
            .map(|unit| {
                let own = predictions.iter().map(|guard| guard.get(unit).copied().flatten().map(|pair| get(&pair)));
                judge(&own.collect::<Vec<_>>(), &found.guards, min_prob)
            })
            .collect()
    };
    (found.peers, found.overall) = (answers(|pair| pair.0)?, answers(|pair| pair.1)?);
    Ok(found)
}

fn judge(own: &[Option<Prediction>], guards: &[GuardSummary], min_prob: f64) -> Result<Vec<GuardAnswer>> {
    let worse: Vec<f64> = own
        .iter()
        .map(|p| p.map_or(f64::NAN, |p| if p.sd > 0.0 { prob_exceeds(p.effect, p.sd, 0.0) } else { 1.0 }))
        .collect();
    let adjusted = adjust(&worse, Adjustment::Holm)?;
    let answer = |((own, guard), p): ((&Option<Prediction>, &GuardSummary), f64)| {
        let Some(own) = own else {
            let finding = GuardFinding::CannotTell;
            return GuardAnswer { effect: None, sd: None, prob_not_worse: None, finding, is_kept: true };
        };
        let prob = if own.sd > 0.0 || own.effect.abs() > 0.0 {
            prob_exceeds(own.effect, own.sd, -guard.margin)
        } else {
            // No detectable difference between units.
            1.0
        };
        let finding = if prob >= 1.0 - GUARD_ALPHA {
            GuardFinding::NotWorse
        } else if p <= GUARD_ALPHA {
            GuardFinding::Harmed
        } else {
            GuardFinding::CannotTell
        };
        GuardAnswer {
            effect: Some(own.effect),
            sd: Some(own.sd),
            prob_not_worse: Some(prob),
            finding,
            is_kept: finding != GuardFinding::Harmed && prob >= min_prob,
        }
    };
    Ok(own.iter().zip(guards).zip(adjusted).map(answer).collect())
}

fn check(guard: &Guard, input: &BrightInput) -> Result<()> {
    if guard.values.len() != input.n_rows() {
        return Err(Error::InvalidValue {
            what: format!("the guard {:?}", guard.name),
            found: format!("{} rows where there are {}", guard.values.len(), input.n_rows()),
            remedy: "give columns of one length".into(),
        });
    }
    match guard.margin {
        Some(margin) if !(margin >= 0.0 && margin.is_finite()) => {
            Err(Error::option("guards", margin, "margins of at least 0, in units of the guard"))
        }
        _ => Ok(()),
    }
}

fn named(error: Error, name: &str) -> Error {
    match error {
        Error::TooFew { what, needed, found, remedy } => {
            Error::TooFew { what: format!("the guard {name:?}: {what}"), needed, found, remedy }
        }
        Error::InvalidValue { what, found, remedy } => {
            Error::InvalidValue { what: format!("the guard {name:?}: {what}"), found, remedy }
        }
        other => other,
    }
}

/// The rows that hold a guard, laid out anew.
struct Rows {
    outcome: Vec<f64>,
    numbers: Vec<Vec<f64>>,
    codes: Vec<Vec<u32>>,
    factors: Vec<Vec<u32>>,
    period: Option<Vec<u32>>,
}

impl Rows {
    /// `None` where every row does.
    fn with(guard: &Guard, input: &BrightInput) -> Option<Self> {
        if guard.values.iter().all(|v| v.is_finite()) {
            return None;
        }
        let has = |row: usize| guard.values.get(row).is_some_and(|v| v.is_finite());
        let numbers = |values: &[f64]| values.iter().enumerate().filter(|(i, _)| has(*i)).map(|(_, v)| *v).collect();
        let codes = |values: &[u32]| values.iter().enumerate().filter(|(i, _)| has(*i)).map(|(_, v)| *v).collect();
        Some(Self {
            outcome: numbers(guard.values),
            numbers: input
                .adjust
                .iter()
                .filter_map(|c| match c {
                    Covariate::Numeric { values, .. } => Some(numbers(values)),
                    Covariate::Categorical { .. } => None,
                })
                .collect(),
            codes: input
                .adjust
                .iter()
                .filter_map(|c| match c {
                    Covariate::Categorical { codes: values, .. } => Some(codes(values)),
                    Covariate::Numeric { .. } => None,
                })
                .collect(),
            factors: input.within.iter().chain([&input.unit]).map(|f| codes(f.codes)).collect(),
            period: input.period.map(|p| codes(p.codes)),
        })
    }

    fn model<'a>(&'a self, input: &BrightInput<'a>) -> Result<(Model<'a>, Places)> {
        let (mut numbers, mut codes) = (self.numbers.iter(), self.codes.iter());
        let adjust: Vec<Covariate<'a>> = input
            .adjust
            .iter()
            .filter_map(|c| match *c {
                Covariate::Numeric { name, .. } => numbers.next().map(|values| Covariate::Numeric { name, values }),
                Covariate::Categorical { name, levels, .. } => {
                    codes.next().map(|codes| Covariate::Categorical { name, codes, levels })
                }
            })
            .collect();
        let mut factors = input
            .within
            .iter()
            .chain([&input.unit])
            .zip(&self.factors)
            .map(|(factor, codes)| Factor { codes, ..*factor })
            .collect::<Vec<Factor<'a>>>();
        let unit = factors.pop().unwrap_or(input.unit);
        let period = input.period.zip(self.period.as_ref()).map(|(factor, codes)| Factor { codes, ..factor });
        Model::of(&self.outcome, &adjust, unit, &factors, period)
    }
}
