//! What a search for bright spots gives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::balance::{Agreement, Balance};
use super::checks::Check;
use super::conditions::Condition;
use super::guards::GuardSummary;
use super::input::BrightInput;
use super::persistence::{PeriodRow, Persistence};
use super::roll::Roll;
use super::spec::BrightSpec;
use super::typical::Typical;
use crate::mixed::Effect;
use crate::{Error, Note, Result};

/// One unit, whatever is found about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct UnitRow {
    /// Its code.
    pub unit: u32,
    /// Its label.
    pub label: String,
    /// The codes of the groups around it, outermost first.
    pub within: Vec<u32>,
    /// The labels of the groups around it, outermost first.
    pub within_labels: Vec<String>,
    /// Rows.
    pub n: usize,
    /// Periods with a row; `None` where no period was given or there is only one.
    pub n_periods: Option<usize>,
    /// The mean of its outcomes, neither adjusted nor shrunken.
    pub raw: f64,
    /// Whether it has enough rows to be judged.
    pub has_min_n: bool,
    /// Whether its group holds at least three units, itself included.
    pub has_peers: bool,
    /// Against the other units of its group (against all units where no groups were given).
    pub peers: Answer,
    /// Against all units: the effect includes those of the groups around it.
    pub overall: Answer,
}

/// The model in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ModelSummary {
    /// The fixed terms.
    pub terms: Vec<String>,
    /// Their estimates.
    pub beta: Vec<f64>,
    /// Their standard errors.
    pub se: Vec<f64>,
    /// The factors, outermost first; the last may be the unit's periods.
    pub factors: Vec<String>,
    /// Their variances.
    pub variances: Vec<f64>,
    /// The residual standard deviation.
    pub sigma: f64,
    /// Minus twice the restricted log-likelihood.
    pub criterion: f64,
    /// Rows.
    pub n_obs: usize,
    /// Whether some factor's variance is zero.
    pub is_singular: bool,
    /// Whether the fit converged.
    pub has_converged: bool,
    /// Variance of the unit over variance of the unit and its periods: the correlation of its true effects from one
    /// period to another. `None` without periods, or where both variances are zero.
    pub stability: Option<f64>,
}

/// Candidates, everything they rest on, and how many of them are probably false.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct BrightSpots {
    /// The criteria.
    pub spec: BrightSpec,
    /// Every unit, in the order of the codes of its groups and its own.
    pub units: Vec<UnitRow>,
    /// Positions in `units` of the candidates against peers: a set in the order of the units, not a ranking.
    pub candidates: Vec<usize>,
    /// The expected share of false ones among them; `None` without a candidate.
    pub false_share: Option<f64>,
    /// Positions in `units` of the candidates against all units.
    pub candidates_overall: Vec<usize>,
    /// The expected share of false ones among those.
    pub false_share_overall: Option<f64>,
    /// Ordinary units under like conditions, to be visited as well.
    pub typical: Vec<Typical>,
    /// The effect worth learning from, in units of the outcome.
    pub threshold: f64,
    /// What was adjusted for.
    pub adjusted_for: Vec<String>,
    /// What a unit is called.
    pub unit_name: String,
    /// What the groups around a unit are called, outermost first.
    pub within_names: Vec<String>,
    /// The model.
    pub model: ModelSummary,
    /// What lasts, over all units; `None` without periods, or with one row of a unit in each.
    pub persistence: Option<Persistence>,
    /// Every unit in every one of its periods; empty where there is no period, or one row of a unit in each.
    pub periods: Vec<PeriodRow>,
    /// The labels of periods.
    pub period_labels: Vec<String>,
    /// The conditions of every unit.
    pub conditions: Vec<Condition>,
    /// The candidates' conditions against those of the others; empty with fewer than three candidates.
    pub balance: Vec<Balance>,
    /// How far the comparison with peers agrees with the model; `None` where it cannot be made.
    pub agreement: Option<Agreement>,
    /// The guards.
    pub guards: Vec<GuardSummary>,
    /// Every unit's answer by other methods, in the order of `units`.
    pub checks: Vec<Check>,
    /// Caveats.
    pub notes: Vec<Note>,
}

impl BrightSpots {
    /// The row of a unit.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] when there is no such unit.
    pub fn unit(&self, position: usize) -> Result<&UnitRow> {
        self.units.get(position).ok_or_else(|| {
            Error::option("unit", position, format!("one of the {} units, counted from 0", self.units.len()))
        })
    }
}

/// The mean outcome of every unit.
pub(super) fn raw_means(outcome: &[f64], unit_of_row: &[u32], sizes: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; sizes.len()];
    for (unit, y) in unit_of_row.iter().zip(outcome) {
        if let Some(sum) = sums.get_mut(*unit as usize) {
            *sum += y;
        }
    }
    sums.iter().zip(sizes).map(|(sum, n)| sum / n).collect()
}

/// The rows of all units; where the two questions are one, `overall` is `None` and the answers to the first are told twice.
pub(super) fn unit_rows(
    input: &BrightInput,
    effects: Vec<Effect>,
    raw: Vec<f64>,
    n_periods: &[usize],
    roll: &Roll,
    peers: Vec<Answer>,
    overall: Option<Vec<Answer>>,
) -> Vec<UnitRow> {
    let mut overall = overall.map(Vec::into_iter);
    let flags = roll.has_min_n.iter().zip(&roll.has_peers);
    let units = effects.into_iter().zip(raw).zip(flags).zip(peers).enumerate();
    units
        .map(|(position, (((effect, raw), (&has_min_n, &has_peers)), peers))| {
            let (unit, within) = effect.path.split_last().map_or((0, Vec::new()), |(u, w)| (*u, w.to_vec()));
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count of rows
            let n = effect.n as usize;
            UnitRow {
                unit,
                label: input.unit.label(unit),
                within_labels: input.within.iter().zip(&within).map(|(f, c)| f.label(*c)).collect(),
                within,
                n,
                n_periods: n_periods.get(position).copied(),
                raw,
                has_min_n,
                has_peers,
                overall: overall.as_mut().and_then(Iterator::next).unwrap_or_else(|| peers.clone()),
                peers,
            }
        })
        .collect()
}

pub(super) fn adjusted_for(input: &BrightInput) -> Vec<String> {
    input.adjust.iter().map(|c| c.name().to_owned()).collect()
}
