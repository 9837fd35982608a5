//! One question about every unit: is its effect larger than the threshold?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::guards::GuardAnswer;
use super::matched::Matched;
use super::spec::{
    ABOVE_PEERS_PROB, ADAPTIVE_UNITS, BrightSpec, CONSISTENT_PROB, PERSISTENT_PROB, RELIABLE, SKEWED, SKEWNESS_UNITS,
};
use crate::stats::ash::Ash;
use crate::stats::multiplicity::bayesian_fdr;
use crate::stats::normal::{prob_exceeds, quantile};
use crate::stats::standing::standing;
use crate::stats::summary::mean;
use crate::{Note, NoteCode, Result};

/// What is found about a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// A candidate, and consistently so over two or more periods.
    Bright,
    /// A candidate, with nothing known about consistency.
    Promising,
    /// Would be a candidate by all its periods together, but not without its best one: no candidate.
    OnePeriod,
    /// Nothing tells it from ordinary units, which is not to say that it is one.
    NotDistinguishable,
    /// Too few students to judge.
    Suppressed,
}

impl Finding {
    /// The code, as in JSON and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bright => "bright",
            Self::Promising => "promising",
            Self::OnePeriod => "one_period",
            Self::NotDistinguishable => "not_distinguishable",
            Self::Suppressed => "suppressed",
        }
    }
}

/// The answer to one question about one unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools)] // one for each criterion: that is what an audit asks for
pub struct Answer {
    /// The unit's effect, shrunken, in units of the outcome.
    pub effect: f64,
    /// The standard deviation of its prediction error.
    pub sd: f64,
    /// The share of its variance that is signal, within \[0, 1\].
    pub reliability: f64,
    /// The lower end of the 95% interval.
    pub lo: f64,
    /// The upper end of the 95% interval.
    pub hi: f64,
    /// The probability that the effect exceeds the threshold.
    pub prob_exceeds: f64,
    /// The expected share of units that it stands above.
    pub expected_percentile: f64,
    /// The probability that it is among the top share of units (a tenth, where nothing else is asked).
    pub prob_top: f64,
    /// The effect as it should enter a histogram: such estimates spread as the true effects do.
    pub triple_goal: f64,
    /// The expected share of false ones among the units at least as probable; `None` where the question is not asked
    /// of the unit (too few students, too few peers).
    pub q_value: Option<f64>,
    /// Whether it is in the largest set with an expected share of false ones of at most the stated rate.
    pub is_in_fdr_set: bool,
    /// Whether the probability is at least the one asked for.
    pub has_prob: bool,
    /// Whether it is a candidate: asked, in that set, with that probability, not carried by one period alone, and no
    /// guard worse.
    pub is_candidate: bool,
    /// The smallest probability that the effect exceeds the threshold when one of its periods is left out; `None` with
    /// fewer than two periods.
    pub prob_without_best: Option<f64>,
    /// Whether that is at least .50.
    pub is_consistent: Option<bool>,
    /// The probability that the effect exceeds the threshold in enough of its periods; `None` with fewer than two, or
    /// with one row in each.
    pub prob_persists: Option<f64>,
    /// Whether that is at least .50.
    pub is_persistent: Option<bool>,
    /// Against the units under the most similar conditions; `None` where there are too few, or no conditions.
    pub matched: Option<Matched>,
    /// Whether it is above them with probability .80.
    pub is_above_peers: Option<bool>,
    /// Whether the comparison with peers alone would name it.
    pub is_named_by_peers: Option<bool>,
    /// Whether half of what is seen of it is signal: reliability of at least .50.
    pub is_reliable: bool,
    /// Its guards, in the order given.
    pub guards: Vec<GuardAnswer>,
    /// Whether all of them are kept; `None` without guards.
    pub are_guards_kept: Option<bool>,
    /// What is found.
    pub finding: Finding,
}

/// A unit's prediction: effect, its error, its reliability.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prediction {
    pub(crate) effect: f64,
    pub(crate) sd: f64,
    pub(crate) reliability: f64,
}

/// The answers of all units to one question.
#[derive(Clone)]
pub(crate) struct Answers {
    pub(crate) by_unit: Vec<Answer>,
    pub(crate) candidates: Vec<usize>,
    pub(crate) false_share: Option<f64>,
    pub(crate) notes: Vec<Note>,
    pub(crate) law: Option<Ash>,
}

/// What else is known of the units, besides their predictions; each in the order of the units.
pub(crate) struct Evidence<'e> {
    /// The question is asked of the unit.
    pub(crate) is_asked: &'e [bool],
    pub(crate) has_min_n: &'e [bool],
    /// The smallest probability over its periods left out.
    pub(crate) without_best: &'e [Option<f64>],
    pub(crate) persists: &'e [Option<f64>],
    pub(crate) matched: &'e [Option<Matched>],
    /// Empty without guards.
    pub(crate) guards: &'e [Vec<GuardAnswer>],
}

/// Answers the question for all units.
///
/// Units that are carried by one period, and those with a guard that is not kept, cannot be candidates; the set is the
/// largest among the others. Any set chosen by what the data say keeps its stated share of false ones under the model, as
/// that is the mean of 1 - P; but where one period in a hundred is a spike, which no normal law of periods knows of, it
/// is those carried by one period that are false more often than P says.
pub(crate) fn answer(
    predictions: &[Prediction],
    evidence: &Evidence,
    threshold: f64,
    spec: &BrightSpec,
) -> Result<Answers> {
    let mut notes = Vec::new();
    let (probabilities, law) = probabilities(predictions, threshold)?;
    notes.extend(skewness_note(predictions));
    let is_consistent: Vec<Option<bool>> =
        evidence.without_best.iter().map(|p| p.map(|p| p >= CONSISTENT_PROB)).collect();
    let kept: Vec<Option<bool>> = (0..predictions.len())
        .map(|unit| evidence.guards.get(unit).map(|guards| guards.iter().all(|g| g.is_kept)))
        .collect();
    let of = |is_in: &dyn Fn(usize) -> bool| -> Vec<f64> {
        let p = probabilities.iter().zip(evidence.is_asked).enumerate();
        p.map(|(unit, (p, asked))| if *asked && is_in(unit) { *p } else { f64::NAN }).collect()
    };
    let is_eligible =
        |unit: usize| is_consistent.get(unit) != Some(&Some(false)) && kept.get(unit) != Some(&Some(false));
    let (all, eligible) = (bayesian_fdr(&of(&|_| true))?, bayesian_fdr(&of(&is_eligible))?);
    let means: Vec<f64> = predictions.iter().map(|p| p.effect).collect();
    let sds: Vec<f64> = predictions.iter().map(|p| p.sd).collect();
    let standing = standing(&means, &sds, spec.top)?;
    if standing.is_approximate {
        notes.push(Note::new(NoteCode::GridApproximation, means.len()));
    }
    let z = quantile(0.975);
    let at = |values: &[f64], unit: usize| values.get(unit).copied().unwrap_or(f64::NAN);
    let flag = |flags: &[bool], unit: usize| flags.get(unit).copied().unwrap_or(false);
    let one = |(unit, prediction): (usize, &Prediction)| {
        let prob = at(&probabilities, unit);
        let (is_asked, is_eligible) = (flag(evidence.is_asked, unit), is_eligible(unit));
        let q = if is_eligible { at(&eligible, unit) } else { at(&all, unit) };
        let (is_in_fdr_set, has_prob) = (q <= spec.fdr, prob >= spec.min_prob);
        let stands_out = is_asked && is_in_fdr_set && has_prob;
        let is_consistent = is_consistent.get(unit).copied().flatten();
        let are_guards_kept = kept.get(unit).copied().flatten();
        let finding =
            match (flag(evidence.has_min_n, unit), stands_out && are_guards_kept != Some(false), is_consistent) {
                (false, _, _) => Finding::Suppressed,
                (true, false, _) => Finding::NotDistinguishable,
                (true, true, Some(true)) => Finding::Bright,
                (true, true, Some(false)) => Finding::OnePeriod,
                (true, true, None) => Finding::Promising,
            };
        let prob_persists = evidence.persists.get(unit).copied().flatten();
        let matched = evidence.matched.get(unit).copied().flatten();
        Answer {
            effect: prediction.effect,
            sd: prediction.sd,
            reliability: prediction.reliability,
            lo: prediction.effect - z * prediction.sd,
            hi: prediction.effect + z * prediction.sd,
            prob_exceeds: prob,
            expected_percentile: at(&standing.expected_percentile, unit),
            prob_top: at(&standing.prob_top, unit),
            triple_goal: at(&standing.triple_goal, unit),
            q_value: is_asked.then_some(q),
            is_in_fdr_set,
            has_prob,
            is_candidate: stands_out && is_eligible,
            prob_without_best: evidence.without_best.get(unit).copied().flatten(),
            is_consistent,
            prob_persists,
            is_persistent: prob_persists.map(|p| p >= PERSISTENT_PROB),
            matched,
            is_above_peers: matched.map(|m| m.prob_above >= ABOVE_PEERS_PROB),
            is_named_by_peers: None,
            is_reliable: prediction.reliability >= RELIABLE,
            guards: evidence.guards.get(unit).cloned().unwrap_or_default(),
            are_guards_kept,
            finding,
        }
    };
    let answers: Vec<Answer> = predictions.iter().enumerate().map(one).collect();
    let candidates: Vec<usize> =
        answers.iter().enumerate().filter(|(_, a)| a.is_candidate).map(|(unit, _)| unit).collect();
    let doubts: Vec<f64> = answers.iter().filter(|a| a.is_candidate).map(|a| 1.0 - a.prob_exceeds).collect();
    Ok(Answers { by_unit: answers, candidates, false_share: mean(&doubts), notes, law })
}

/// P(effect > threshold): normal, and with enough units no more than under the law of effects that the units show.
fn probabilities(predictions: &[Prediction], threshold: f64) -> Result<(Vec<f64>, Option<Ash>)> {
    let normal: Vec<f64> = predictions.iter().map(|p| prob_exceeds(p.effect, p.sd, threshold)).collect();
    if predictions.len() < ADAPTIVE_UNITS {
        return Ok((normal, None));
    }
    let raw: Vec<Option<(f64, f64)>> = predictions.iter().map(raw).collect();
    let known: Vec<(f64, f64)> = raw.iter().flatten().copied().collect();
    if known.len() < ADAPTIVE_UNITS {
        return Ok((normal, None));
    }
    let (estimates, errors): (Vec<f64>, Vec<f64>) = known.into_iter().unzip();
    let ash = Ash::fit(&estimates, &errors)?;
    let smaller = |(normal, raw): (&f64, &Option<(f64, f64)>)| match raw {
        Some((estimate, error)) => normal.min(ash.prob_exceeds(*estimate, *error, threshold)),
        None => *normal,
    };
    Ok((normal.iter().zip(&raw).map(smaller).collect(), Some(ash)))
}

/// The raw estimate of the same effect and its standard error: what the prediction was before it was shrunk.
///
/// A best linear prediction m of an effect with variance tau^2 has Cov(m, b) = Var(m) = tau^2 r with r its
/// reliability, so m/r is unbiased for b and errs with variance PEV/r, given b. Without covariates and groups m/r is
/// the unit's mean residual and PEV/r its sampling variance `sigma_d`^2/m + sigma^2/n; within a group it is the mean
/// residual less what the unit's *peers* say about the group, which the plain difference from the group's estimate is
/// not (the unit itself pulls that estimate).
pub(crate) fn raw(prediction: &Prediction) -> Option<(f64, f64)> {
    /// Below this nothing but the prior is in the prediction.
    const LEAST: f64 = 1e-6;
    let Prediction { effect, sd, reliability } = *prediction;
    (reliability > LEAST && sd > 0.0).then(|| (effect / reliability, sd / reliability.sqrt()))
}

/// Skewness of the raw estimates, each in units of its own standard deviation over units.
fn skewness_note(predictions: &[Prediction]) -> Option<Note> {
    // m/r has variance tau^2 + PEV/r = tau^2/r over units, with tau^2 = PEV/(1 - r).
    let scores: Vec<f64> = predictions
        .iter()
        .filter(|p| p.reliability < 1.0)
        .filter_map(|p| {
            let (estimate, _) = raw(p)?;
            Some(estimate / (p.sd * p.sd / (1.0 - p.reliability) / p.reliability).sqrt())
        })
        .collect();
    if scores.len() < SKEWNESS_UNITS {
        return None;
    }
    let center = mean(&scores)?;
    let moment = |k: i32| scores.iter().map(|s| (s - center).powi(k)).sum::<f64>() / scores.len() as f64;
    let skewness = moment(3) / moment(2).powf(1.5);
    (skewness < SKEWED).then(|| Note::new(NoteCode::SkewedEffects, scores.len()).with_value(skewness))
}

/// How many units each group holds.
pub(crate) fn group_sizes(parents: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut sizes: Vec<usize> = Vec::new();
    for parent in parents {
        if sizes.len() <= parent {
            sizes.resize(parent + 1, 0);
        }
        if let Some(size) = sizes.get_mut(parent) {
            *size += 1;
        }
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mixed::{Design, Fit, Method, Moments};

    #[test]
    fn raw_estimates_are_mean_residuals_with_their_sampling_variance() {
        // One factor, no covariates, balanced: 200 units of 4 rows. m/r differs from the mean residual, and its
        // variance from sigma^2/n, by what estimating the grand mean costs: of the order of one in 200.
        let y: Vec<f64> = (0..800_u32).map(|i| f64::from((i / 4 * 37) % 101) / 20.0 + f64::from(i * i % 7)).collect();
        let unit: Vec<u32> = (0..800).map(|i| i / 4).collect();
        let moments = Moments::new(&Design::new(800, &[]).unwrap(), &y, &[&unit]).unwrap();
        let at = Fit::at(&moments, &[0.7], Method::Reml).unwrap();
        for e in at.effects(0).unwrap() {
            let p = Prediction { effect: e.effect, sd: e.sd, reliability: e.reliability };
            let (estimate, error) = raw(&p).unwrap();
            assert!((estimate - e.residual).abs() < 0.02 * e.residual.abs().max(0.1), "{estimate} {}", e.residual);
            assert!((error / (at.sigma / 2.0) - 1.0).abs() < 0.02, "{error}");
        }
    }

    #[test]
    fn normal_effects_lose_nothing_by_being_unshrunk() {
        let p = Prediction { effect: 2.0, sd: 0.6, reliability: 0.8 };
        let (estimate, error) = raw(&p).unwrap();
        let tau2 = p.sd * p.sd / (1.0 - p.reliability);
        let shrink = tau2 / (tau2 + error * error);
        assert!((shrink * estimate - p.effect).abs() < 1e-12);
        assert!((shrink.sqrt() * error - p.sd).abs() < 1e-12);
    }

    #[test]
    fn sizes_of_groups() {
        assert_eq!(group_sizes([0, 0, 2, 0].into_iter()), [3, 0, 1]);
    }
}
