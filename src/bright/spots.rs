//! Bright spots: from rows to candidates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Answers, Evidence, Prediction, answer, group_sizes};
use super::balance::{Agreement, Balance, agreement, balance};
use super::checks::{Check, checks};
use super::conditions::{Condition, conditions, standardised, whitened};
use super::guards::{Guard, GuardSummary, Guarded, guarded};
use super::input::BrightInput;
use super::matched::{Matched, against, neighbours};
use super::model::Model;
use super::periods::{Over, over_periods};
use super::persistence::{PeriodRow, Persistence};
use super::spec::{BrightSpec, CEILING_ROWS, CEILING_SHARE, PEERS, THRESHOLD_SD, Threshold};
use super::tree::{Sum, Tree};
use super::typical::{Typical, typical_units};
use crate::mixed::{Covariate, Effect};
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

/// Looks for bright spots.
///
/// outcome = conditions (and period) + groups + unit + unit in period + error, by restricted maximum likelihood. For
/// every unit P = P(effect > threshold), normal with the prediction-error variance; with 50 units or more no larger than
/// under a mixture and under a smooth law, both fitted to the raw estimates. Candidates have enough rows, belong to the largest
/// set whose mean 1 - P (twice that where effects are skewed to the left) is at most `fdr`, and have P >= `min_prob`. Where the
/// smooth law is much more likely than a normal one, intervals follow it. Where there are periods, P must stay at .50 or more whichever of them is
/// left out (at the fitted variances and coefficients): who does not is `one_period`, and no candidate.
///
/// Beside that stand whether an effect lasts over most periods ([`Answer::prob_persists`]), and a second route that uses
/// no law of effects over all units ([`Answer::matched`]).
///
/// # Errors
/// [`crate::Error::InvalidOption`] for a criterion out of range, [`crate::Error::InvalidValue`] for columns that do not
/// fit together or values that are missing, [`crate::Error::TooFew`] when nothing can be fitted.
///
/// # Notes
/// `default_threshold`, `one_period`, `small_units`, `few_peers`, `few_matches`, `ceiling`, `skewed_effects`, `effects_not_normal`,
/// `easier_conditions`, `confounded_condition`, `grid_approximation`, of guards `default_margin` and `guard_missing`, and
/// those of the fit: `singular`, `few_units`, `confounded_levels`, `rank_deficient`, `not_converged`.
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
    guarded_bright_spots(input, &[], spec, &|_, _| Ok(()))
}

/// Looks for bright spots that keep their guards: [`bright_spots`] with further measures that must not be worse.
///
/// A guard is modelled as the outcome is. A candidate must not be harmed by it, and not worse by more than the margin
/// with a probability of `min_guard_prob` or more. The strict claim "not worse" (probability .95) is told as the finding
/// `not_worse`; as a gate it would ask of a unit what few students can hardly show.
///
/// `pause` is called between steps, with how many are done; an error from it ends the search.
///
/// # Errors
/// As [`bright_spots`], for guards too.
pub fn guarded_bright_spots(
    input: &BrightInput,
    guards: &[Guard],
    spec: &BrightSpec,
    pause: &dyn Fn(usize, usize) -> Result<()>,
) -> Result<BrightSpots> {
    spec.validate()?;
    let model = Model::new(input)?;
    pause(0, 1)?;
    let mut notes = model.notes.clone();
    let threshold = match spec.threshold {
        Threshold::Given(value) => value,
        Threshold::TenthOfSd => {
            let value = THRESHOLD_SD * sd_within(input.outcome, input.period.map(|p| p.codes));
            notes.push(Note::new(NoteCode::DefaultThreshold, 0).with_value(value));
            value
        }
    };
    notes.extend(ceiling(input.outcome));
    let effects = &model.effects;
    let roll = Roll::new(effects, spec, &mut notes);

    let unit_of_row = model.unit_of_row();
    let sizes: Vec<f64> = effects.iter().map(|e| e.n).collect();
    let conditions = conditions(input, &unit_of_row, &sizes);
    notes.extend(confounded(input, &conditions, effects));
    let cells = model.cells(input.outcome, &unit_of_row);
    let tree = model.tree()?;
    let sums: Vec<Sum> = cells.iter().map(|cells| model.sum(cells.iter())).collect();
    let over = over_periods(&model, &tree, &cells, &sums, threshold, spec);
    pause(0, 1)?;
    let (matched, matched_overall) = matched(&model, &tree, &sums, &conditions, &roll, threshold, spec, pause)?;
    if !conditions.is_empty() {
        let missing = matched_overall.iter().zip(&roll.has_min_n).filter(|(m, told)| m.is_none() && **told).count();
        if missing > 0 {
            notes.push(Note::new(NoteCode::FewMatches, missing));
        }
    }
    let guarded = guarded(input, guards, &model, spec.min_guard_prob, pause)?;
    notes.extend(guarded.notes.iter().cloned());

    let peers: Vec<Prediction> = effects.iter().map(against_peers).collect();
    let without_guards = guards.is_empty();
    let evidence = |is_peers: bool| Evidence {
        is_asked: if is_peers { &roll.is_asked } else { &roll.has_min_n },
        has_min_n: &roll.has_min_n,
        without_best: if is_peers { &over.without_best } else { &over.without_best_overall },
        persists: if is_peers { &over.persists } else { &over.persists_overall },
        matched: if is_peers { &matched } else { &matched_overall },
        guards: match (without_guards, is_peers) {
            (true, _) => &[],
            (false, true) => &guarded.peers,
            (false, false) => &guarded.overall,
        },
    };
    let mut answers = answer(&peers, &evidence(true), threshold, spec)?;
    let agreement = agreement(&mut answers.by_unit, &roll.is_asked, spec.fdr, spec.min_prob)?;
    // Without groups the two questions are one; a handful of units has no peers, but there is still everyone else.
    let overall = if input.within.is_empty() && roll.is_asked == roll.has_min_n {
        answers.clone()
    } else {
        let overall: Vec<Prediction> = effects.iter().map(against_all).collect();
        let mut overall = answer(&overall, &evidence(false), threshold, spec)?;
        super::balance::agreement(&mut overall.by_unit, &roll.has_min_n, spec.fdr, spec.min_prob)?;
        overall
    };
    notes.extend(answers.notes.iter().cloned());
    let slopes: Vec<Option<f64>> = conditions.iter().map(|c| model.coefficient(&c.name)).collect();
    let parents: Vec<usize> = effects.iter().map(|e| e.parent).collect();
    let (balance, unbalanced) = balance(&conditions, &slopes, &parents, &answers, &roll.is_asked)?;
    notes.extend(unbalanced);
    let checks = checks(&peers, &roll.is_asked, answers.laws.as_ref(), threshold)?;
    pause(0, 1)?;

    let candidates = answers.candidates.clone();
    let (false_share, false_share_overall) = (answers.false_share, overall.false_share);
    let candidates_overall = overall.candidates.clone();
    let units = unit_rows(input, &model, &unit_of_row, &over, &roll, answers, overall);
    let typical = typical_units(&conditions, &units, &candidates);
    let Guarded { guards, .. } = guarded;
    Ok(BrightSpots {
        spec: spec.clone(),
        typical,
        units,
        candidates,
        false_share,
        candidates_overall,
        false_share_overall,
        threshold,
        adjusted_for: adjusted_for(input),
        unit_name: input.unit.name.to_owned(),
        within_names: input.within.iter().map(|f| f.name.to_owned()).collect(),
        model: summary(input, &model),
        persistence: over.persistence,
        periods: over.rows,
        period_labels: input.period.map_or_else(Vec::new, |p| p.labels.to_vec()),
        conditions,
        balance,
        agreement,
        guards,
        checks,
        notes,
    })
}

/// Of whom the questions are asked.
struct Roll {
    has_min_n: Vec<bool>,
    has_peers: Vec<bool>,
    /// Against peers: both.
    is_asked: Vec<bool>,
}

impl Roll {
    fn new(effects: &[Effect], spec: &BrightSpec, notes: &mut Vec<Note>) -> Self {
        let has_min_n: Vec<bool> = effects.iter().map(|e| e.n >= spec.min_n as f64).collect();
        let sizes = group_sizes(effects.iter().map(|e| e.parent));
        let has_peers: Vec<bool> =
            effects.iter().map(|e| sizes.get(e.parent).is_some_and(|size| *size >= PEERS)).collect();
        let is_asked = has_min_n.iter().zip(&has_peers).map(|(n, p)| *n && *p).collect();
        let count = |flags: &[bool]| flags.iter().filter(|f| !**f).count();
        if count(&has_min_n) > 0 {
            notes.push(Note::new(NoteCode::SmallUnits, count(&has_min_n)).with_value(spec.min_n as f64));
        }
        if count(&has_peers) > 0 {
            notes.push(Note::new(NoteCode::FewPeers, count(&has_peers)));
        }
        Self { has_min_n, has_peers, is_asked }
    }
}

type ByUnit = Vec<Option<Matched>>;

/// Every unit against those under like conditions: less what its group adds, and with it.
#[allow(clippy::too_many_arguments)] // all that the search knows by then
fn matched(
    model: &Model,
    tree: &Tree,
    sums: &[Sum],
    conditions: &[Condition],
    roll: &Roll,
    threshold: f64,
    spec: &BrightSpec,
    pause: &dyn Fn(usize, usize) -> Result<()>,
) -> Result<(ByUnit, ByUnit)> {
    let n = model.effects.len();
    if conditions.is_empty() {
        return Ok((vec![None; n], vec![None; n]));
    }
    let sizes: Vec<f64> = model.effects.iter().map(|e| e.n).collect();
    let places = whitened(&standardised(conditions, &sizes))?;
    let near = neighbours(&places, &roll.has_min_n, spec, pause)?;
    let sigma2 = model.fit.sigma * model.fit.sigma;
    let mean = |sum: &Sum, told: bool| (told && sum.a > 0.0).then(|| (sum.c / sum.a, sigma2 / sum.a));
    let overall: Vec<Option<(f64, f64)>> =
        sums.iter().zip(&roll.has_min_n).map(|(sum, told)| mean(sum, *told)).collect();
    let against_all = against(&near, &overall, threshold);
    if model.unit_level == 0 {
        return Ok((against_all.clone(), against_all));
    }
    let within: Vec<Option<(f64, f64)>> = sums
        .iter()
        .zip(tree.others(sums))
        .zip(&roll.is_asked)
        .map(|((sum, (around, w)), asked)| mean(sum, *asked).map(|(r, s2)| (r - around, s2 + sigma2 * w)))
        .collect();
    Ok((against(&near, &within, threshold), against_all))
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

pub(crate) fn against_peers(e: &Effect) -> Prediction {
    Prediction { effect: e.effect, sd: e.sd, reliability: e.reliability }
}

pub(crate) fn against_all(e: &Effect) -> Prediction {
    Prediction { effect: e.effect_overall, sd: e.sd_overall, reliability: e.reliability_overall }
}

fn unit_rows(
    input: &BrightInput,
    model: &Model,
    unit_of_row: &[u32],
    over: &Over,
    roll: &Roll,
    peers: Answers,
    overall: Answers,
) -> Vec<UnitRow> {
    let mut sums = vec![0.0; model.effects.len()];
    for (unit, y) in unit_of_row.iter().zip(input.outcome) {
        if let Some(sum) = sums.get_mut(*unit as usize) {
            *sum += y;
        }
    }
    let flags = roll.has_min_n.iter().zip(&roll.has_peers);
    let answers = peers.by_unit.into_iter().zip(overall.by_unit);
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
                n_periods: over.counts.get(position).copied(),
                raw: sum / effect.n,
                has_min_n,
                has_peers,
                peers,
                overall,
            }
        })
        .collect()
}

/// Conditions that are the same throughout each group while groups differ: what they do cannot be told from the groups.
fn confounded(input: &BrightInput, conditions: &[Condition], effects: &[Effect]) -> Vec<Note> {
    if input.within.is_empty() {
        return Vec::new();
    }
    let groups = effects.iter().map(|e| e.parent + 1).max().unwrap_or(0);
    let same = |condition: &Condition| {
        // Means of rows that all hold one value are that value, to rounding.
        let size = condition.means.iter().fold(0.0_f64, |a, v| a.max(v.abs()));
        let mut first: Vec<Option<f64>> = vec![None; groups];
        condition.means.iter().zip(effects).all(|(value, effect)| match first.get_mut(effect.parent) {
            Some(cell) => (*cell.get_or_insert(*value) - value).abs() <= 1e-9 * size,
            None => true,
        })
    };
    let names: Vec<&Condition> = conditions.iter().filter(|c| same(c)).collect();
    let of_covariate = |covariate: &&Covariate| {
        names.iter().any(|c| match covariate {
            Covariate::Numeric { name, .. } => c.name == *name,
            Covariate::Categorical { name, levels, .. } => {
                levels.iter().any(|level| c.name.strip_prefix(name) == Some(level.as_str()))
            }
        })
    };
    let found = input.adjust.iter().filter(of_covariate);
    found.map(|c| Note::new(NoteCode::ConfoundedCondition, groups).at(c.name())).collect()
}

/// The standard deviation of the outcome, pooled within periods where there are several.
pub(crate) fn sd_within(outcome: &[f64], periods: Option<&[u32]>) -> f64 {
    // Count, sum and squares about the first value of every period.
    let mut sums: Vec<(f64, f64, f64)> = Vec::new();
    let Some(&shift) = outcome.first() else { return 0.0 };
    let mut add = |period: u32, y: f64| {
        let place = period as usize;
        if sums.len() <= place {
            sums.resize(place + 1, (0.0, 0.0, 0.0));
        }
        if let Some(sum) = sums.get_mut(place) {
            let value = y - shift;
            *sum = (sum.0 + 1.0, sum.1 + value, sum.2 + value * value);
        }
    };
    match periods {
        Some(periods) => periods.iter().zip(outcome).for_each(|(period, y)| add(*period, *y)),
        None => outcome.iter().for_each(|y| add(0, *y)),
    }
    let (mut squares, mut freedom) = (0.0, 0.0);
    for (n, sum, square) in sums.into_iter().filter(|(n, ..)| *n > 0.0) {
        squares += (square - sum * sum / n).max(0.0);
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
