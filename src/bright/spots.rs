//! Bright spots: from rows to candidates.

use super::answer::{Evidence, Prediction, answer};
use super::balance::{agreement, balance};
use super::cautions::{ceiling, confounded, sd_within};
use super::checks::checks;
use super::conditions::{Condition, conditions};
use super::guards::{Guard, Guarded, guarded};
use super::input::BrightInput;
use super::matched::{Contrast, Matched, shrunken};
use super::model::Model;
use super::peers::Neighbourhood;
use super::periods::over_periods;
use super::result::{BrightSpots, adjusted_for, raw_means, unit_rows};
use super::roll::Roll;
use super::spec::{BrightSpec, THRESHOLD_SD, Threshold};
use super::tree::{Sum, Tree};
use super::typical::typical_units;
use crate::mixed::Effect;
use crate::{Note, NoteCode, Result};

/// Looks for bright spots.
///
/// outcome = conditions (and period) + groups + unit + unit in period + error, by restricted maximum likelihood. For
/// every unit P = P(effect > threshold), normal with the prediction-error variance; with 50 units or more no larger than
/// under a mixture and under a smooth law, both fitted to the raw estimates. Candidates have enough rows, belong to the largest
/// set whose mean 1 - P (twice that where effects are skewed to the left) is at most `fdr`, and have P >= `min_prob`. Where the
/// smooth law is much more likely than a normal one, intervals follow it. Where there are periods, P must stay at .50 or more
/// whichever of them is left out (at the fitted variances and coefficients): who does not is `one_period`, and no candidate.
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
    let (model, places) = Model::new(input)?;
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

    let sizes: Vec<f64> = effects.iter().map(|e| e.n).collect();
    let conditions = conditions(input, places.unit_of_row(), &sizes);
    notes.extend(confounded(input, &conditions, effects));
    let raw = raw_means(input.outcome, places.unit_of_row(), &sizes);
    let cells = model.cells(input.outcome, &places);
    drop(places);
    let tree = model.tree();
    let sums: Vec<Sum> = cells.by_unit().map(|cells| model.sum(cells.iter())).collect();
    let over = over_periods(&model, &tree, &cells, &sums, threshold, spec);
    drop(cells);
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
        None
    } else {
        let overall: Vec<Prediction> = effects.iter().map(against_all).collect();
        let mut overall = answer(&overall, &evidence(false), threshold, spec)?;
        super::balance::agreement(&mut overall.by_unit, &roll.has_min_n, spec.fdr, spec.min_prob)?;
        // Each question has its own law of effects.
        let is_of_law = |note: &&Note| matches!(note.code, NoteCode::SkewedEffects | NoteCode::EffectsNotNormal);
        notes.extend(overall.notes.iter().filter(is_of_law).map(|note| note.clone().at("overall")));
        Some(overall)
    };
    notes.extend(answers.notes.iter().cloned());
    let slopes: Vec<Option<f64>> = conditions.iter().map(|c| model.coefficient(&c.name)).collect();
    let parents: Vec<usize> = effects.iter().map(|e| e.parent).collect();
    let (balance, unbalanced) = balance(&conditions, &slopes, &parents, &answers, &roll.is_asked)?;
    notes.extend(unbalanced);
    pause(0, 1)?;

    let asked_of_all = overall.as_ref().unwrap_or(&answers);
    let (false_share, false_share_overall) = (answers.false_share, asked_of_all.false_share);
    let (candidates, candidates_overall) = (answers.candidates.clone(), asked_of_all.candidates.clone());
    let Model { effects, summary, .. } = model;
    let overall = overall.map(|answers| answers.by_unit);
    let units = unit_rows(input, effects, raw, &over.counts, &roll, answers.by_unit, overall);
    let checks = checks(&peers, &roll.is_asked, &answers.told, threshold)?;
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
        model: summary,
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
    let sigma2 = model.sigma2();
    let mean = |sum: &Sum, told: bool| (told && sum.a > 0.0).then(|| (sum.c / sum.a, sigma2 / sum.a));
    let overall: Vec<Option<(f64, f64)>> =
        sums.iter().zip(&roll.has_min_n).map(|(sum, told)| mean(sum, *told)).collect();
    let within: Option<Vec<Option<(f64, f64)>>> = (model.unit_level > 0).then(|| {
        let others = tree.others(sums).into_iter().zip(&roll.is_asked);
        let means = sums.iter().zip(others);
        means
            .map(|(sum, ((around, w), asked))| mean(sum, *asked).map(|(r, s2)| (r - around, s2 + sigma2 * w)))
            .collect()
    });
    let mut contrasts: Vec<Option<Contrast>> = vec![None; n];
    let mut contrasts_within = if within.is_some() { contrasts.clone() } else { Vec::new() };
    Neighbourhood::new(conditions, &sizes, &roll.has_min_n, spec)?.each(pause, |unit, peers| {
        if let Some(cell) = contrasts.get_mut(unit) {
            *cell = Contrast::new(unit, peers, &overall);
        }
        if let (Some(cell), Some(means)) = (contrasts_within.get_mut(unit), &within) {
            *cell = Contrast::new(unit, peers, means);
        }
    })?;
    let against_all = shrunken(&contrasts, threshold);
    let against_peers = if within.is_some() { shrunken(&contrasts_within, threshold) } else { against_all.clone() };
    Ok((against_peers, against_all))
}

pub(crate) fn against_peers(e: &Effect) -> Prediction {
    Prediction { effect: e.effect, sd: e.sd, reliability: e.reliability }
}

pub(crate) fn against_all(e: &Effect) -> Prediction {
    Prediction { effect: e.effect_overall, sd: e.sd_overall, reliability: e.reliability_overall }
}
