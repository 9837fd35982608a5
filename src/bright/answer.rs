//! One question about every unit: is its effect larger than the threshold?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::guards::GuardAnswer;
use super::laws::{self, Laws, Told, interval, probability};
use super::matched::Matched;
use super::spec::{ABOVE_PEERS_PROB, BrightSpec, CONSISTENT_PROB, PERSISTENT_PROB, RELIABLE};
use crate::stats::multiplicity::bayesian_fdr;
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
    /// The lower end of the 95% interval: of normal effects, unless the units show that effects are not normal.
    pub lo: f64,
    /// The upper end of the 95% interval.
    pub hi: f64,
    /// The probability that the effect exceeds the threshold: under normal effects, and no more than under either law of effects
    /// that the units themselves show.
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
    /// What the laws of effects that the units show say of each.
    pub(crate) told: Vec<Option<Told>>,
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
/// that is the mean of 1 - P (twice that where effects are skewed); but where one period in a hundred is a spike, which no
/// normal law of periods knows of, it is those carried by one period that are false more often than P says.
pub(crate) fn answer(
    predictions: &[Prediction],
    evidence: &Evidence,
    threshold: f64,
    spec: &BrightSpec,
) -> Result<Answers> {
    let mut notes = Vec::new();
    let laws = Laws::fit(predictions)?;
    let told: Vec<Option<Told>> =
        predictions.iter().map(|own| laws.as_ref().and_then(|laws| laws.tell(own, threshold))).collect();
    let probabilities: Vec<f64> =
        predictions.iter().zip(&told).map(|(own, told)| probability(own, told.as_ref(), threshold)).collect();
    let (law_notes, doubt) = laws::notes(predictions, laws.as_ref());
    notes.extend(law_notes);
    let doubts: Vec<f64> = probabilities.iter().map(|p| f64::min(doubt * (1.0 - p), 1.0)).collect();
    let is_consistent: Vec<Option<bool>> =
        evidence.without_best.iter().map(|p| p.map(|p| p >= CONSISTENT_PROB)).collect();
    let kept: Vec<Option<bool>> = (0..predictions.len())
        .map(|unit| evidence.guards.get(unit).map(|guards| guards.iter().all(|g| g.is_kept)))
        .collect();
    let of = |is_in: &dyn Fn(usize) -> bool| -> Vec<f64> {
        let doubts = doubts.iter().zip(evidence.is_asked).enumerate();
        doubts.map(|(unit, (doubt, asked))| if *asked && is_in(unit) { 1.0 - doubt } else { f64::NAN }).collect()
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
        let (lo, hi) = interval(prediction, told.get(unit).and_then(Option::as_ref));
        Answer {
            effect: prediction.effect,
            sd: prediction.sd,
            reliability: prediction.reliability,
            lo,
            hi,
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
    let doubts: Vec<f64> = candidates.iter().map(|&unit| at(&doubts, unit)).collect();
    Ok(Answers { by_unit: answers, candidates, false_share: mean(&doubts), notes, told })
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

    #[test]
    fn sizes_of_groups() {
        assert_eq!(group_sizes([0, 0, 2, 0].into_iter()), [3, 0, 1]);
    }
}
