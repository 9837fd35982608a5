//! Are a team's predictions getting better? Its stated beliefs, held against what came.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes::define_codes;
use super::{Cycle, Study};
use crate::stats::standard::clopper_pearson;
use crate::stats::tally::Tally;
use crate::stats::trend::mann_kendall;
use crate::{Error, Note, NoteCode, Result};

/// One-sided rate at which a well-calibrated team is called over- or underconfident, at most.
const ALPHA: f64 = 0.05;
/// With fewer predictions than this no trend is looked for: even a steady fall of five scores comes by chance in 1 of 120.
const TREND_PREDICTIONS: usize = 8;
/// With fewer predictions than this the picture of calibration is a sketch, and a note says so.
const FEW_PREDICTIONS: usize = 20;
/// Beliefs are grouped by the value that was stated while there are at most this many values; else into this many equal parts.
const MOST_GROUPS: usize = 10;
/// The level of the intervals: their ends are one-sided 5% tests.
const LEVEL: f64 = 0.90;

define_codes! {
    /// Whether a team's beliefs are larger or smaller than what comes true.
    Leaning {
        /// Fewer came true than the beliefs allow.
        Overconfident = "overconfident",
        /// More came true than the beliefs allow.
        Underconfident = "underconfident",
        /// What came true agrees with the beliefs, within chance.
        NoLeaning = "no_leaning",
        /// So few predictions that no outcome could have told.
        Insufficient = "insufficient",
    }

    /// Whether a team's predictions get better with time.
    Learning {
        /// The scores fall more steadily than chance allows.
        Improving = "improving",
        /// The scores rise more steadily than chance allows.
        Declining = "declining",
        /// Neither.
        NoTrend = "no_trend",
        /// Too few predictions to look for a trend.
        Insufficient = "insufficient",
    }
}

/// One prediction that said how sure the team was, and whether it came true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forecast {
    /// When it was judged: the date of the study.
    pub on: Date,
    /// What it was about: the cycle's id or change.
    pub of: String,
    /// The measure.
    pub measure: String,
    /// How sure the team was, from 0 to 1.
    pub belief: f64,
    /// Whether it came true.
    pub is_hit: bool,
}

impl Forecast {
    /// Brier's score of one forecast: the square of belief minus what came (1 or 0).
    pub fn brier(&self) -> f64 {
        (self.belief - f64::from(u8::from(self.is_hit))).powi(2)
    }
}

/// The forecasts of several studies, and how many predictions stated no belief or have no outcome.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forecasts {
    /// In the order of their dates; those of one date in the order given.
    pub forecasts: Vec<Forecast>,
    /// Predictions without a stated belief.
    pub n_without_belief: usize,
    /// Predictions that could not be measured, or not yet.
    pub n_without_outcome: usize,
}

impl Forecasts {
    /// The forecasts of studies: each with the name of what it studied.
    pub fn of_studies<'a>(studies: impl IntoIterator<Item = (&'a str, &'a Study)>) -> Self {
        let mut found = Self::default();
        for (of, study) in studies {
            for check in &study.prediction_checks {
                match (check.prediction.belief, check.is_hit) {
                    (None, _) => found.n_without_belief += 1,
                    (Some(_), None) => found.n_without_outcome += 1,
                    (Some(belief), Some(is_hit)) => found.forecasts.push(Forecast {
                        on: study.as_of,
                        of: of.to_owned(),
                        measure: check.prediction.measure.clone(),
                        belief,
                        is_hit,
                    }),
                }
            }
        }
        found.forecasts.sort_by_key(|forecast| forecast.on);
        found
    }

    /// The forecasts of cycles: those of the last study of each. A cycle without a study has none yet.
    pub fn of_cycles<'a>(cycles: impl IntoIterator<Item = &'a Cycle>) -> Self {
        Self::of_studies(cycles.into_iter().filter_map(|c| c.studies.last().map(|study| (c.id.as_str(), study))))
    }
}

/// Forecasts of about the same belief.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeliefGroup {
    /// How many.
    pub n: usize,
    /// The mean of their beliefs.
    pub belief: f64,
    /// The share that came true.
    pub hit_rate: f64,
    /// Lower end of its exact 90% interval.
    pub lo: f64,
    /// Upper end of its exact 90% interval.
    pub hi: f64,
}

/// How well stated beliefs agree with what came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Forecasts.
    pub n: usize,
    /// The mean of Brier's scores: 0 is perfect, .25 is what "fifty-fifty" always gets.
    pub brier: f64,
    /// How far beliefs lie from the share that came true, group by group: smaller is better.
    pub reliability: f64,
    /// How far the groups' shares lie from the overall share: larger is better.
    pub resolution: f64,
    /// What nobody can help: hit rate times its complement.
    pub uncertainty: f64,
    /// What grouping unequal beliefs together leaves over; 0 where each group is of one belief.
    pub within: f64,
    /// 1 - brier / uncertainty: how much better than always stating the overall hit rate; none where all or none came true.
    pub skill: Option<f64>,
    /// The mean of the beliefs.
    pub mean_belief: f64,
    /// The share that came true.
    pub hit_rate: f64,
    /// P(at most as many come true), were every belief right: small for a team that is too sure.
    pub p_overconfident: f64,
    /// P(at least as many come true), were every belief right: small for a team that is too unsure.
    pub p_underconfident: f64,
    /// Whether the team is too sure, too unsure, or neither can be told.
    pub leaning: Leaning,
    /// The mean of Brier's scores of the earlier half; none with fewer than two forecasts.
    pub brier_earlier: Option<f64>,
    /// The mean of Brier's scores of the later half.
    pub brier_later: Option<f64>,
    /// P of a fall of the scores over time at least as steady, in random order.
    pub p_learning: f64,
    /// Whether predictions are getting better.
    pub learning: Learning,
    /// Groups of about the same belief, the smallest first.
    pub groups: Vec<BeliefGroup>,
    /// The forecasts, in the order of their dates.
    pub forecasts: Vec<Forecast>,
    /// Caveats.
    pub notes: Vec<Note>,
}

/// Holds stated beliefs against what came.
///
/// ```text
/// brier = mean (f - o)^2 = reliability - resolution + uncertainty + within
/// reliability = sum n_k (f_k - o_k)^2 / n;  resolution = sum n_k (o_k - o)^2 / n;  uncertainty = o (1 - o)
/// within = (sum (f - f_k)^2 - 2 sum (f - f_k)(o - o_k)) / n
/// ```
///
/// with f the beliefs, o what came (1 or 0), and k the groups of equal belief (of beliefs in one tenth of the scale where
/// there are more than ten values; then `within` is what the grouping leaves over). Whether a team leans is tested by
/// the exact law of the number that come true (Poisson-binomial), whether it learns by Mann and Kendall's test of its
/// scores in time.
///
/// # Arguments
/// `found`: the forecasts; see [`Forecasts::of_cycles`].
///
/// # Missing values
/// Predictions without a belief or an outcome are counted in notes.
///
/// # Errors
/// [`Error::TooFew`] without a single forecast; [`Error::InvalidValue`] for a belief outside of 0 to 1.
///
/// # Notes
/// `few_predictions`, `no_belief`, `no_outcome`, `shared_luck` (several predictions of one cycle).
///
/// # Reference
/// Brier (1950), Mon. Weather Rev. 78:1; Murphy (1973), J. Appl. Meteorol. 12:595; the terms within groups: Stephenson,
/// Coelho & Jolliffe (2008), Weather Forecast. 23:752.
///
/// ```
/// use brightspot::cycle::{Forecast, Forecasts, Leaning, calibration};
/// use jiff::civil::date;
///
/// // "80% sure", ten times; five came true.
/// let forecasts = (0..10_i8)
///     .map(|k| Forecast { on: date(2026, 9, 1 + k), of: "c".into(), measure: "m".into(), belief: 0.8, is_hit: k % 2 == 0 })
///     .collect();
/// let found = calibration(Forecasts { forecasts, ..Forecasts::default() })?;
/// assert!((found.brier - 0.34).abs() < 1e-12);
/// assert!((found.reliability - 0.09).abs() < 1e-12 && found.resolution.abs() < 1e-12);
/// assert_eq!(found.leaning, Leaning::Overconfident);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn calibration(found: Forecasts) -> Result<Calibration> {
    let forecasts = found.forecasts;
    require(&forecasts)?;
    let n = forecasts.len();
    let size = n as f64;
    let mean = |of: &dyn Fn(&Forecast) -> f64| forecasts.iter().map(of).sum::<f64>() / size;
    let scores: Vec<f64> = forecasts.iter().map(Forecast::brier).collect();
    let brier = scores.iter().sum::<f64>() / size;
    let (mean_belief, hit_rate) = (mean(&|f| f.belief), mean(&|f| f64::from(u8::from(f.is_hit))));
    let groups = groups(&forecasts)?;
    let sum = |of: &dyn Fn(&BeliefGroup) -> f64| groups.iter().map(|g| g.n as f64 * of(g)).sum::<f64>() / size;
    let reliability = sum(&|g| (g.belief - g.hit_rate).powi(2));
    let resolution = sum(&|g| (g.hit_rate - hit_rate).powi(2));
    let uncertainty = hit_rate * (1.0 - hit_rate);
    let within = brier - (reliability - resolution + uncertainty);

    let beliefs: Vec<f64> = forecasts.iter().map(|f| f.belief).collect();
    let n_hits = forecasts.iter().filter(|f| f.is_hit).count();
    let (p_overconfident, p_underconfident) = prob_hits(&beliefs, n_hits);
    let trend = mann_kendall(&scores);
    let halves = (n >= 2).then(|| scores.split_at(n / 2));
    let mean_of = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    Ok(Calibration {
        n,
        brier,
        reliability,
        resolution,
        uncertainty,
        // Rounding leaves some 1e-17 where the terms cancel.
        within: if within.abs() < 1e-12 { 0.0 } else { within },
        skill: (uncertainty > 0.0).then(|| 1.0 - brier / uncertainty),
        mean_belief,
        hit_rate,
        p_overconfident,
        p_underconfident,
        leaning: leaning(&beliefs, p_overconfident, p_underconfident),
        brier_earlier: halves.map(|(earlier, _)| mean_of(earlier)),
        brier_later: halves.map(|(_, later)| mean_of(later)),
        p_learning: trend.p_falling,
        learning: if n < TREND_PREDICTIONS {
            Learning::Insufficient
        } else if trend.p_falling <= ALPHA {
            Learning::Improving
        } else if trend.p_rising <= ALPHA {
            Learning::Declining
        } else {
            Learning::NoTrend
        },
        notes: notes(&forecasts, found.n_without_belief, found.n_without_outcome),
        groups,
        forecasts,
    })
}

fn require(forecasts: &[Forecast]) -> Result<()> {
    if forecasts.is_empty() {
        return Err(Error::TooFew {
            what: "the calibration of predictions".into(),
            needed: "1 prediction with a belief that has been judged".into(),
            found: 0,
            remedy: "state a belief from 0 to 1 with each prediction, and study the cycles".into(),
        });
    }
    match forecasts.iter().find(|f| !(0.0..=1.0).contains(&f.belief)) {
        None => Ok(()),
        Some(odd) => Err(Error::InvalidValue {
            what: format!("the belief about {:?} in {:?}", odd.measure, odd.of),
            found: odd.belief.to_string(),
            remedy: "give a probability from 0 to 1".into(),
        }),
    }
}

fn groups(forecasts: &[Forecast]) -> Result<Vec<BeliefGroup>> {
    let mut sorted: Vec<&Forecast> = forecasts.iter().collect();
    sorted.sort_by(|a, b| a.belief.total_cmp(&b.belief));
    // Beliefs are stated numbers: equal means equal.
    #[allow(clippy::float_cmp)]
    let is_same = |a: &&Forecast, b: &&Forecast| a.belief == b.belief;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and 10
    let part = |f: &Forecast| ((f.belief * MOST_GROUPS as f64) as usize).min(MOST_GROUPS - 1);
    let by_value: Vec<&[&Forecast]> = sorted.chunk_by(is_same).collect();
    let chunks =
        if by_value.len() <= MOST_GROUPS { by_value } else { sorted.chunk_by(|a, b| part(a) == part(b)).collect() };
    chunks
        .into_iter()
        .map(|chunk| {
            let n = chunk.len();
            let n_hits = chunk.iter().filter(|f| f.is_hit).count();
            let (lo, hi) = clopper_pearson(Tally::new(n_hits as f64, n as f64), LEVEL)?;
            let belief = chunk.iter().map(|f| f.belief).sum::<f64>() / n as f64;
            Ok(BeliefGroup { n, belief, hit_rate: n_hits as f64 / n as f64, lo, hi })
        })
        .collect()
}

/// P(at most) and P(at least) so many hits, were every belief a true probability: the Poisson-binomial law by
/// convolution.
fn prob_hits(beliefs: &[f64], n_hits: usize) -> (f64, f64) {
    let mut law = vec![1.0];
    for &p in beliefs {
        let mut next = vec![0.0; law.len() + 1];
        for (k, mass) in law.iter().enumerate() {
            if let Some(cell) = next.get_mut(k) {
                *cell += mass * (1.0 - p);
            }
            if let Some(cell) = next.get_mut(k + 1) {
                *cell += mass * p;
            }
        }
        law = next;
    }
    (law.iter().take(n_hits + 1).sum::<f64>().min(1.0), law.iter().skip(n_hits).sum::<f64>().min(1.0))
}

fn leaning(beliefs: &[f64], p_over: f64, p_under: f64) -> Leaning {
    if p_over <= ALPHA {
        Leaning::Overconfident
    } else if p_under <= ALPHA {
        Leaning::Underconfident
    } else if prob_hits(beliefs, 0).0 > ALPHA && prob_hits(beliefs, beliefs.len()).1 > ALPHA {
        // Nothing that could have come would have told.
        Leaning::Insufficient
    } else {
        Leaning::NoLeaning
    }
}

fn notes(forecasts: &[Forecast], n_without_belief: usize, n_without_outcome: usize) -> Vec<Note> {
    let mut cycles: Vec<&str> = forecasts.iter().map(|f| f.of.as_str()).collect();
    cycles.sort_unstable();
    let n_shared: usize = cycles.chunk_by(|a, b| a == b).map(<[&str]>::len).filter(|n| *n > 1).sum();
    let few = if forecasts.len() < FEW_PREDICTIONS { forecasts.len() } else { 0 };
    [
        (NoteCode::FewPredictions, few),
        (NoteCode::NoBelief, n_without_belief),
        (NoteCode::NoOutcome, n_without_outcome),
        (NoteCode::SharedLuck, n_shared),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(code, count)| Note::new(code, count))
    .collect()
}
