//! Checks on the set of candidates as a whole: are their conditions easier, and does the second route agree?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Answers};
use super::conditions::{Condition, variance};
use crate::stats::multiplicity::{Adjustment, adjust, bayesian_fdr};
use crate::stats::normal::cdf;
use crate::{Note, NoteCode, Result};

/// Fewer candidates than this have no balance to speak of.
const LEAST_CANDIDATES: usize = 3;
const ALPHA: f64 = 0.05;

/// One condition among candidates and among the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Balance {
    /// The condition.
    pub condition: String,
    /// Its mean over candidates, within groups where there are groups.
    pub candidates: f64,
    /// Its mean over the others that were judged.
    pub others: f64,
    /// The difference in standard deviations over units.
    pub difference: f64,
    /// The difference over its standard error.
    pub z: f64,
    /// The two-sided p-value, adjusted for the number of conditions (Holm).
    pub p_value: f64,
    /// Whether candidates have it easier beyond chance, by the side on which the outcome is higher; `None` where the
    /// condition is not adjusted for, so that no side is known.
    pub is_easier: Option<bool>,
}

/// How far the model and the comparison with peers agree on whom to visit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Agreement {
    /// Units asked by both routes.
    pub n_units: usize,
    /// Candidates of the model among them.
    pub n_model: usize,
    /// Units that the comparison with peers would name, by the same rates.
    pub n_peers: usize,
    /// Named by both.
    pub n_both: usize,
    /// Named by either.
    pub n_either: usize,
    /// Both over either; `None` where neither names anybody.
    pub share: Option<f64>,
}

/// The balance of the candidates against every condition, and a note for each that is easier than by chance.
///
/// Where the model has taken the conditions out, being a candidate has nothing to do with them. `slopes` gives the
/// coefficient of each condition, where it is adjusted for.
pub(crate) fn balance(
    conditions: &[Condition],
    slopes: &[Option<f64>],
    parents: &[usize],
    answers: &Answers,
    is_asked: &[bool],
) -> Result<(Vec<Balance>, Vec<Note>)> {
    if answers.candidates.len() < LEAST_CANDIDATES {
        return Ok((Vec::new(), Vec::new()));
    }
    let is_candidate: Vec<bool> = answers.by_unit.iter().map(|a| a.is_candidate).collect();
    let mut rows: Vec<Balance> = conditions
        .iter()
        .map(|condition| {
            let own = within_groups(&condition.means, parents);
            let mean = |wanted: bool| {
                let values: Vec<f64> = own
                    .iter()
                    .zip(is_asked.iter().zip(&is_candidate))
                    .filter(|(_, (asked, candidate))| **asked && **candidate == wanted)
                    .map(|(v, _)| *v)
                    .collect();
                (values.iter().sum::<f64>() / values.len().max(1) as f64, values.len() as f64)
            };
            let ((a, n), (b, m)) = (mean(true), mean(false));
            let sd = variance(&own).sqrt();
            let difference = if sd > 0.0 { (a - b) / sd } else { 0.0 };
            let z = if m > 0.0 { difference / (1.0 / n + 1.0 / m).sqrt() } else { 0.0 };
            Balance {
                condition: condition.name.clone(),
                candidates: a,
                others: b,
                difference,
                z,
                p_value: 2.0 * cdf(-z.abs()),
                is_easier: None,
            }
        })
        .collect();
    let adjusted = adjust(&rows.iter().map(|r| r.p_value.min(1.0)).collect::<Vec<f64>>(), Adjustment::Holm)?;
    let mut notes = Vec::new();
    for ((row, p), slope) in rows.iter_mut().zip(adjusted).zip(slopes) {
        row.p_value = p;
        row.is_easier = slope.map(|slope| p <= ALPHA && row.difference * slope > 0.0);
        if row.is_easier == Some(true) {
            let note = Note::new(NoteCode::EasierConditions, answers.candidates.len());
            notes.push(note.with_value(row.difference.abs()).at(row.condition.clone()));
        }
    }
    Ok((rows, notes))
}

/// Values less the mean of their group, plus the mean of all: groups are compared with nothing.
fn within_groups(values: &[f64], parents: &[usize]) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); parents.iter().max().map_or(0, |p| p + 1)];
    for (value, parent) in values.iter().zip(parents) {
        if let Some(sum) = sums.get_mut(*parent) {
            sum.0 += value;
            sum.1 += 1.0;
        }
    }
    let all = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let center = |parent: &usize| sums.get(*parent).map_or(0.0, |(sum, n)| sum / n);
    values.iter().zip(parents).map(|(value, parent)| value - center(parent) + all).collect()
}

/// Marks whom the comparison with peers would name, and counts how far the routes agree.
pub(crate) fn agreement(
    answers: &mut [Answer],
    is_asked: &[bool],
    fdr: f64,
    min_prob: f64,
) -> Result<Option<Agreement>> {
    let prob = |(answer, asked): (&Answer, &bool)| match answer.matched {
        Some(matched) if *asked => matched.prob_exceeds,
        _ => f64::NAN,
    };
    let probabilities: Vec<f64> = answers.iter().zip(is_asked).map(prob).collect();
    let q_values = bayesian_fdr(&probabilities)?;
    let mut found = Agreement { n_units: 0, n_model: 0, n_peers: 0, n_both: 0, n_either: 0, share: None };
    for ((answer, p), q) in answers.iter_mut().zip(&probabilities).zip(&q_values) {
        if p.is_nan() {
            continue;
        }
        let is_named = *q <= fdr && *p >= min_prob;
        answer.is_named_by_peers = Some(is_named);
        found.n_units += 1;
        found.n_model += usize::from(answer.is_candidate);
        found.n_peers += usize::from(is_named);
        found.n_both += usize::from(answer.is_candidate && is_named);
        found.n_either += usize::from(answer.is_candidate || is_named);
    }
    found.share = (found.n_either > 0).then(|| found.n_both as f64 / found.n_either as f64);
    Ok((found.n_units > 0).then_some(found))
}
