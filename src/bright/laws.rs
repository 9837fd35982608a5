//! The law of effects: normal, or as the units themselves show it.

use super::answer::Prediction;
use super::spec::{ADAPTIVE_UNITS, NOT_NORMAL, SKEWED, SKEWED_DOUBT, SKEWNESS_UNITS};
use crate::stats::ash::{Ash, Local};
use crate::stats::deconvolution::Deconvolution;
use crate::stats::normal::{prob_exceeds, quantile};
use crate::stats::summary::mean;
use crate::{Error, Note, NoteCode, Result};

/// Two laws of effects fitted to the units themselves: mixed from normal laws about zero, and smooth.
#[derive(Debug, Clone)]
pub(crate) struct Laws {
    ash: Ash,
    /// `None` where all estimates are one and the same.
    smooth: Option<Deconvolution>,
    /// Twice the logarithm of how much more likely the smooth law makes the estimates than normal effects do.
    gain: f64,
    n_units: usize,
}

/// What the laws say of one unit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    /// Under the mixture.
    pub(crate) mixed: Local,
    /// P(effect > threshold) under the smooth law, halfway to what it is under the least favourable one that the data allow: the
    /// top units are those of which the fitted law happens to say too much.
    pub(crate) smooth: f64,
    /// The 95% interval, where the units show that effects are not normal.
    interval: Option<(f64, f64)>,
}

impl Laws {
    /// `None` with too few units to tell a law of effects.
    pub(crate) fn fit(predictions: &[Prediction]) -> Result<Option<Self>> {
        let known = || predictions.iter().filter_map(|p| Some((p, raw(p)?)));
        let (estimates, errors): (Vec<f64>, Vec<f64>) = known().map(|(_, raw)| raw).unzip();
        if estimates.len() < ADAPTIVE_UNITS {
            return Ok(None);
        }
        let ash = Ash::fit(&estimates, &errors)?;
        let smooth = match Deconvolution::fit(&estimates, &errors) {
            Ok(law) => Some(law),
            // All the same, but for some far out.
            Err(Error::InvalidValue { .. }) => None,
            Err(error) => return Err(error),
        };
        let variances: Vec<f64> = known().filter_map(|(p, _)| variance(p)).collect();
        let gain = smooth.as_ref().zip(mean(&variances)).map_or(0.0, |(law, variance)| law.gain_over_normal(variance));
        Ok(Some(Self { ash, smooth, gain, n_units: estimates.len() }))
    }

    /// What the laws say of a unit; `None` where the data say nothing of it.
    pub(crate) fn tell(&self, prediction: &Prediction, threshold: f64) -> Option<Told> {
        let (estimate, error) = raw(prediction)?;
        let mixed = self.ash.local(estimate, error, threshold);
        let posterior = self.smooth.as_ref().and_then(|law| law.posterior(estimate, error));
        let smooth = posterior.as_ref().map_or(mixed.above, |posterior| {
            let found = posterior.prob_exceeds(threshold);
            f64::midpoint(found.value, found.least)
        });
        let interval = self.is_not_normal().then(|| {
            // Of a unit so far out that no law tells of it all is held that the normal law and the unit's own students allow.
            let far = || {
                let (normal, half) = (normal_interval(prediction), quantile(0.975) * error);
                (normal.0.min(estimate - half), normal.1.max(estimate + half))
            };
            posterior.as_ref().map_or_else(far, |posterior| posterior.interval(0.95))
        });
        Some(Told { mixed, smooth, interval })
    }

    fn is_not_normal(&self) -> bool {
        self.gain > NOT_NORMAL
    }
}

/// P(effect > threshold): under normal effects, and no more than under either law of effects that the units show.
pub(crate) fn probability(prediction: &Prediction, told: Option<&Told>, threshold: f64) -> f64 {
    let normal = prob_exceeds(prediction.effect, prediction.sd, threshold);
    told.map_or(normal, |told| normal.min(told.mixed.above).min(told.smooth))
}

/// The 95% interval: that of normal effects, unless the units show that effects are not normal; it holds the prediction.
pub(crate) fn interval(prediction: &Prediction, told: Option<&Told>) -> (f64, f64) {
    match told.and_then(|told| told.interval) {
        Some((low, high)) => (low.min(prediction.effect), high.max(prediction.effect)),
        None => normal_interval(prediction),
    }
}

fn normal_interval(prediction: &Prediction) -> (f64, f64) {
    let half = quantile(0.975) * prediction.sd;
    (prediction.effect - half, prediction.effect + half)
}

/// What is to be known of the law of effects, and how often a doubt counts under it.
pub(crate) fn notes(predictions: &[Prediction], laws: Option<&Laws>) -> (Vec<Note>, f64) {
    let not_normal = laws.filter(|laws| laws.is_not_normal());
    let not_normal = not_normal.map(|laws| Note::new(NoteCode::EffectsNotNormal, laws.n_units).with_value(laws.gain));
    let skewed = skewness_note(predictions);
    let doubt = if skewed.is_some() { SKEWED_DOUBT } else { 1.0 };
    (skewed.into_iter().chain(not_normal).collect(), doubt)
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

/// The variance of the effects that the prediction was shrunk with: tau^2 = PEV/(1 - r).
fn variance(prediction: &Prediction) -> Option<f64> {
    (prediction.reliability < 1.0).then(|| prediction.sd * prediction.sd / (1.0 - prediction.reliability))
}

/// Skewness of the raw estimates, each in units of its own standard deviation over units.
fn skewness_note(predictions: &[Prediction]) -> Option<Note> {
    // m/r has variance tau^2 + PEV/r = tau^2/r over units.
    let score = |p: &Prediction| Some(raw(p)?.0 / (variance(p)? / p.reliability).sqrt());
    let scores: Vec<f64> = predictions.iter().filter_map(score).collect();
    if scores.len() < SKEWNESS_UNITS {
        return None;
    }
    let center = mean(&scores)?;
    let moment = |k: i32| scores.iter().map(|s| (s - center).powi(k)).sum::<f64>() / scores.len() as f64;
    let skewness = moment(3) / moment(2).powf(1.5);
    (skewness < SKEWED).then(|| Note::new(NoteCode::SkewedEffects, scores.len()).with_value(skewness))
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
        let tau2 = variance(&p).unwrap();
        let shrink = tau2 / (tau2 + error * error);
        assert!((shrink * estimate - p.effect).abs() < 1e-12);
        assert!((shrink.sqrt() * error - p.sd).abs() < 1e-12);
    }

    /// Predictions of units with these raw estimates of error .1, shrunk with this variance.
    fn predictions(estimates: impl Iterator<Item = f64>, variance: f64) -> Vec<Prediction> {
        let reliability = variance / (variance + 0.01);
        let sd = 0.1 * reliability.sqrt();
        estimates.map(|b| Prediction { effect: reliability * b, sd, reliability }).collect()
    }

    #[test]
    fn normal_effects_keep_their_intervals_and_two_points_do_not() {
        let at = |i: u32| quantile((f64::from(i * 37 % 100) + 0.5) / 100.0);
        let normal = predictions((0..100).map(|i| 0.05_f64.sqrt() * at(i)), 0.04);
        let laws = Laws::fit(&normal).unwrap().unwrap();
        assert!(!laws.is_not_normal() && notes(&normal, Some(&laws)) == (vec![], 1.0));
        for p in &normal {
            let (low, high) = interval(p, laws.tell(p, 0.1).as_ref());
            assert!((high - low - 2.0 * 1.96 * p.sd).abs() < 1e-3);
            assert!(probability(p, laws.tell(p, 0.1).as_ref(), 0.1) <= prob_exceeds(p.effect, p.sd, 0.1));
        }
        // Every tenth unit at .8, the others at nothing, seen with an error of .1.
        let points = predictions((0..100).map(|i| if i % 10 == 0 { 0.8 } else { 0.0 } + 0.1 * at(i)), 0.06);
        let laws = Laws::fit(&points).unwrap().unwrap();
        assert!(laws.is_not_normal());
        assert_eq!(notes(&points, Some(&laws)).0.len(), 1);
        let widths: Vec<f64> =
            points.iter().map(|p| interval(p, laws.tell(p, 0.1).as_ref())).map(|(low, high)| high - low).collect();
        // Those at nothing are known the better for being many.
        assert!(widths[1] < 0.9 * 2.0 * 1.96 * points[1].sd, "{}", widths[1]);
        assert!(points.iter().all(|p| {
            let (low, high) = interval(p, laws.tell(p, 0.1).as_ref());
            low <= p.effect && p.effect <= high
        }));
    }

    #[test]
    fn few_units_and_equal_ones_show_no_law() {
        assert!(Laws::fit(&predictions((0..49).map(f64::from), 0.04)).unwrap().is_none());
        let same = predictions(std::iter::repeat_n(0.2, 60), 0.04);
        let one_far = predictions((0..60).map(|i| if i == 0 { 90.0 } else { 0.2 }), 0.04);
        assert!(Laws::fit(&one_far).unwrap().unwrap().smooth.is_none());
        let laws = Laws::fit(&same).unwrap().unwrap();
        assert!(laws.smooth.is_none() && !laws.is_not_normal());
        let p = probability(&same[0], laws.tell(&same[0], 0.1).as_ref(), 0.1);
        assert!((0.0..=1.0).contains(&p));
    }
}
