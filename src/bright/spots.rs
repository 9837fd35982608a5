//! Bright spots: from rows to candidates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Answers, Prediction, answer, group_sizes};
use super::input::BrightInput;
use super::model::Model;
use super::spec::{BrightSpec, CEILING_ROWS, CEILING_SHARE, PEERS, THRESHOLD_SD, Threshold};
use super::typical::{Typical, typical_units};
use crate::mixed::Effect;
use crate::stats::normal::prob_exceeds;
use crate::{Error, Note, NoteCode, Result};

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
    /// Caveats.
    pub notes: Vec<Note>,
}

/// Looks for bright spots.
///
/// outcome = conditions (and period) + groups + unit + unit in period + error, by restricted maximum likelihood. For
/// every unit P = P(effect > threshold), normal with the prediction-error variance; with 50 units or more no larger than
/// under a mixture fitted to the raw estimates. Candidates have enough rows, belong to the largest set whose mean 1 - P
/// is at most `fdr`, and have P >= `min_prob`. A candidate is `bright` when, whichever of its periods is left out, P
/// stays at .50 or more (at the fitted variances).
///
/// # Errors
/// [`crate::Error::InvalidOption`] for a criterion out of range, [`crate::Error::InvalidValue`] for columns that do not
/// fit together or values that are missing, [`crate::Error::TooFew`] when nothing can be fitted.
///
/// # Notes
/// `default_threshold`, `one_period`, `small_units`, `few_peers`, `ceiling`, `skewed_effects`, `grid_approximation`,
/// and those of the fit: `singular`, `few_units`, `confounded_levels`, `rank_deficient`, `not_converged`.
///
/// # Reference
/// Bradley et al. (2009, Implement. Sci. 4:25) for positive deviance; Newton et al. (2004, Biostatistics 5:155) for the
/// set; Stephens (2017, Biostatistics 18:275) for the mixture; Kraft (2020, Educ. Researcher 49:241) for the threshold.
///
/// ```
/// use brightspot::bright::{BrightInput, BrightSpec, Factor, bright_spots};
///
/// // Twelve classes of twenty; the ninth does better by far more than its students' luck explains.
/// let class: Vec<u32> = (0..240).map(|i| i / 20).collect();
/// let score: Vec<f64> = (0..240_u32)
///     .map(|i| f64::from(i * 7919 % 101) / 10.0 + f64::from(i / 20 % 5) / 5.0 + if i / 20 == 8 { 8.0 } else { 0.0 })
///     .collect();
/// let labels: Vec<String> = (1..=12).map(|k| format!("class {k}")).collect();
/// let spots = bright_spots(
///     &BrightInput {
///         outcome: &score,
///         adjust: &[],
///         unit: Factor { name: "class", codes: &class, labels: &labels },
///         within: &[],
///         period: None,
///         context: &[],
///     },
///     &BrightSpec::default(),
/// )?;
/// assert_eq!(spots.candidates, [8]);
/// assert!(spots.explain(8)?.text().starts_with("class 9: 20 students."));
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn bright_spots(input: &BrightInput, spec: &BrightSpec) -> Result<BrightSpots> {
    spec.validate()?;
    let model = Model::new(input)?;
    let mut notes = model.notes.clone();
    let threshold = match spec.threshold {
        Threshold::Given(value) => value,
        Threshold::TenthOfSd => {
            let codes = input.period.map(|p| p.codes);
            let value = THRESHOLD_SD * sd_within(input.outcome, codes);
            notes.push(Note::new(NoteCode::DefaultThreshold, 0).with_value(value));
            value
        }
    };
    notes.extend(ceiling(input.outcome));

    let effects = &model.effects;
    let has_min_n: Vec<bool> = effects.iter().map(|e| e.n >= spec.min_n as f64).collect();
    let sizes = group_sizes(effects.iter().map(|e| e.parent));
    let has_peers: Vec<bool> = effects.iter().map(|e| sizes.get(e.parent).is_some_and(|size| *size >= PEERS)).collect();
    let is_asked: Vec<bool> = has_min_n.iter().zip(&has_peers).map(|(n, p)| *n && *p).collect();
    let count = |flags: &[bool]| flags.iter().filter(|f| !**f).count();
    if count(&has_min_n) > 0 {
        notes.push(Note::new(NoteCode::SmallUnits, count(&has_min_n)).with_value(spec.min_n as f64));
    }
    if count(&has_peers) > 0 {
        notes.push(Note::new(NoteCode::FewPeers, count(&has_peers)));
    }

    let smallest = smallest_without_a_period(&model, input, threshold)?;
    let (smallest_peers, smallest_overall): (Vec<_>, Vec<_>) =
        smallest.into_iter().map(|s| (s.map(|s| s.0), s.map(|s| s.1))).unzip();
    let peers: Vec<Prediction> = effects.iter().map(against_peers).collect();
    let overall: Vec<Prediction> = effects.iter().map(against_all).collect();
    let peers = answer(&peers, &is_asked, &has_min_n, &smallest_peers, threshold, spec)?;
    // Without groups the two questions are one; a handful of units has no peers, but there is still everyone else.
    let overall = answer(&overall, &has_min_n, &has_min_n, &smallest_overall, threshold, spec)?;
    notes.extend(peers.notes.iter().cloned());

    let units = unit_rows(input, &model, &has_min_n, &has_peers, &peers, &overall);
    let candidates = peers.candidates;
    let typical = typical_units(input, &model, &units, &candidates);
    Ok(BrightSpots {
        spec: spec.clone(),
        typical,
        units,
        candidates,
        false_share: peers.false_share,
        candidates_overall: overall.candidates,
        false_share_overall: overall.false_share,
        threshold,
        adjusted_for: adjusted_for(input),
        unit_name: input.unit.name.to_owned(),
        within_names: input.within.iter().map(|f| f.name.to_owned()).collect(),
        model: summary(input, &model),
        notes,
    })
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

fn against_peers(e: &Effect) -> Prediction {
    Prediction { effect: e.effect, sd: e.sd, reliability: e.reliability }
}

fn against_all(e: &Effect) -> Prediction {
    Prediction { effect: e.effect_overall, sd: e.sd_overall, reliability: e.reliability_overall }
}

/// For every unit with two periods or more: the smallest P(effect > threshold) when one of its periods is left out,
/// against peers and against all.
fn smallest_without_a_period(model: &Model, input: &BrightInput, threshold: f64) -> Result<Vec<Option<(f64, f64)>>> {
    let mut smallest = vec![None; model.effects.len()];
    let mut all: Vec<u32> = model.periods.iter().flatten().copied().collect();
    all.sort_unstable();
    all.dedup();
    for period in all {
        let without = model.without(input, period)?;
        let units = model.effects.iter().zip(&model.periods).zip(&mut smallest);
        for ((effect, _), cell) in units.filter(|((_, p), _)| p.len() > 1 && p.contains(&period)) {
            let Ok(place) = without.binary_search_by(|e| e.path.cmp(&effect.path)) else { continue };
            let Some(e) = without.get(place) else { continue };
            let (a, b): (f64, f64) = cell.unwrap_or((1.0, 1.0));
            let (peers, overall) = (against_peers(e), against_all(e));
            *cell = Some((
                a.min(prob_exceeds(peers.effect, peers.sd, threshold)),
                b.min(prob_exceeds(overall.effect, overall.sd, threshold)),
            ));
        }
    }
    Ok(smallest)
}

fn unit_rows(
    input: &BrightInput,
    model: &Model,
    has_min_n: &[bool],
    has_peers: &[bool],
    peers: &Answers,
    overall: &Answers,
) -> Vec<UnitRow> {
    let mut sums = vec![0.0; model.effects.len()];
    for (unit, y) in model.unit_of_row.iter().zip(input.outcome) {
        if let Some(sum) = sums.get_mut(*unit as usize) {
            *sum += y;
        }
    }
    let flags = has_min_n.iter().zip(has_peers);
    let answers = peers.by_unit.iter().zip(&overall.by_unit);
    let units = model.effects.iter().zip(sums).zip(flags).zip(answers).enumerate();
    units
        .map(|(position, (((effect, sum), (&has_min_n, &has_peers)), (peers, overall)))| {
            let (unit, within) = effect.path.split_last().map_or((0, Vec::new()), |(u, w)| (*u, w.to_vec()));
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count of rows
            let n = effect.n as usize;
            UnitRow {
                unit,
                label: input.unit.label(unit),
                within_labels: input.within.iter().zip(&within).map(|(f, c)| f.label(*c)).collect(),
                within,
                n,
                n_periods: model.periods.get(position).map(Vec::len),
                raw: sum / effect.n,
                has_min_n,
                has_peers,
                peers: peers.clone(),
                overall: overall.clone(),
            }
        })
        .collect()
}

/// The standard deviation of the outcome, pooled within periods where there are several.
fn sd_within(outcome: &[f64], periods: Option<&[u32]>) -> f64 {
    let mut rows: Vec<(u32, f64)> = match periods {
        Some(periods) => periods.iter().copied().zip(outcome.iter().copied()).collect(),
        None => outcome.iter().map(|y| (0, *y)).collect(),
    };
    rows.sort_by_key(|(period, _)| *period);
    let (mut squares, mut freedom) = (0.0, 0.0);
    for period in rows.chunk_by(|a, b| a.0 == b.0) {
        let n = period.len() as f64;
        let center = period.iter().map(|(_, y)| y).sum::<f64>() / n;
        squares += period.iter().map(|(_, y)| (y - center).powi(2)).sum::<f64>();
        freedom += n - 1.0;
    }
    if freedom > 0.0 { (squares / freedom).sqrt() } else { 0.0 }
}

fn ceiling(outcome: &[f64]) -> Option<Note> {
    let highest = outcome.iter().copied().max_by(f64::total_cmp)?;
    let n = outcome.iter().filter(|y| y.total_cmp(&highest).is_eq()).count();
    (n >= CEILING_ROWS && n as f64 > CEILING_SHARE * outcome.len() as f64)
        .then(|| Note::new(NoteCode::Ceiling, n).with_value(highest))
}

fn adjusted_for(input: &BrightInput) -> Vec<String> {
    input.adjust.iter().map(|c| c.name().to_owned()).collect()
}

fn summary(input: &BrightInput, model: &Model) -> ModelSummary {
    let fit = &model.fit;
    let mut factors: Vec<String> = input.within.iter().chain([&input.unit]).map(|f| f.name.to_owned()).collect();
    let inner = fit.variances.get(model.unit_level + 1).copied();
    if inner.is_some()
        && let Some(period) = input.period
    {
        factors.push(format!("{} in {}", period.name, input.unit.name));
    }
    let own = fit.variances.get(model.unit_level).copied().unwrap_or(0.0);
    ModelSummary {
        terms: fit.terms.clone(),
        beta: fit.beta.clone(),
        se: fit.se.clone(),
        factors,
        variances: fit.variances.clone(),
        sigma: fit.sigma,
        criterion: fit.criterion,
        n_obs: fit.n_obs,
        is_singular: fit.is_singular,
        has_converged: fit.has_converged,
        stability: inner.filter(|d| own + d > 0.0).map(|d| own / (own + d)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_within_periods_ignores_what_periods_differ_by() {
        // Within each period 1, 2, 3: variance 1, whatever is added to one of them.
        let y = [1.0, 2.0, 3.0, 101.0, 102.0, 103.0];
        assert!((sd_within(&y, Some(&[0, 0, 0, 1, 1, 1])) - 1.0).abs() < 1e-12);
        assert!(sd_within(&y, None) > 50.0);
    }

    #[test]
    fn a_ceiling_takes_many_rows() {
        let mut y: Vec<f64> = (0..300).map(f64::from).collect();
        assert!(ceiling(&y).is_none());
        y.extend([300.0; 19]);
        assert!(ceiling(&y).is_none());
        y.push(300.0);
        assert_eq!(ceiling(&y).unwrap().count, 20);
    }
}
