//! What families of charts share: the level of a baseline, its sigma, and how far limits reach because of both.

use std::collections::HashMap;

use super::choices::SigmaEstimator;
use super::known::Known;
use super::ranges::{RangeRule, autocorrelation, range_sigma};
use super::rows::{LimitRows, Lines, LinesSummary, Reach};
use super::spec::LimitSpec;
use crate::stats::constants::{c4, equivalent_df};
use crate::stats::normal;
use crate::stats::sigma_law::SigmaLaw;
use crate::stats::step::unbiased_phi;

/// The autocorrelation beyond which the estimate is not followed.
const PHI_MAX: f64 = 0.9;

/// One phase that is computed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chart<'a> {
    pub(super) spec: &'a LimitSpec,
    pub(super) rows: &'a LimitRows<'a>,
    pub(super) known: &'a Known,
}

/// The level of a baseline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    /// The weighted mean, or the known centre.
    pub(super) value: f64,
    /// The baseline's weight; infinite for a known centre, which has no error.
    pub(super) weight: f64,
    /// Values of the baseline.
    pub(super) n: usize,
}

/// The sigma of a baseline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sigma {
    /// The estimate, or the known sigma; NaN without.
    pub(super) value: f64,
    /// Its squared coefficient of variation; 0 for a known sigma.
    pub(super) cv2: f64,
    /// How many differences it is made of ([`SigmaLaw::new`]).
    pub(super) dims: f64,
    pub(super) n_screened: usize,
    pub(super) phi: Option<f64>,
}

impl Sigma {
    /// A sigma that is known, or follows from the centre.
    pub(super) fn known(sigma: f64) -> Self {
        Self { value: sigma, cv2: 0.0, dims: 0.0, n_screened: 0, phi: None }
    }

    /// Where there was nothing to estimate it from.
    pub(super) fn missing(phi: Option<f64>) -> Self {
        Self { value: f64::NAN, cv2: f64::NAN, dims: 0.0, n_screened: 0, phi }
    }

    /// Adds an independent error with coefficient of variation `cv`.
    pub(super) fn widen_law(&mut self, cv: f64) {
        self.cv2 += cv * cv;
        self.dims = equivalent_df(self.cv2);
    }

    /// The law of the estimate.
    pub(super) fn law(&self) -> SigmaLaw {
        SigmaLaw::new(self.dims, self.cv2)
    }

    /// Whether a stable process has so large, and whether it has so small, an estimate with probability `alpha` or less;
    /// `laws` keeps the laws of earlier estimates. The lower tail ends below 1 and the upper one begins above.
    pub(super) fn is_off(&self, alpha: f64, laws: &mut HashMap<[u64; 2], SigmaLaw>) -> (bool, bool) {
        /// More laws than this are not kept.
        const MAX_KEPT: usize = 10_000;
        if laws.len() > MAX_KEPT {
            laws.clear();
        }
        let law = laws.entry([self.dims.to_bits(), self.cv2.to_bits()]).or_insert_with(|| self.law());
        if self.value > 1.0 {
            (law.prob_above(self.value) <= alpha, false)
        } else {
            (false, law.prob_below(self.value) <= alpha)
        }
    }

    /// Equivalent degrees of freedom, where there was something to estimate.
    pub(super) fn df(&self) -> Option<f64> {
        (self.cv2 > 0.0).then(|| equivalent_df(self.cv2))
    }

    /// Puts what it says into a summary.
    pub(super) fn tell(&self, summary: &mut LinesSummary) {
        summary.n_screened = self.n_screened;
        summary.df = self.df();
        summary.phi = self.phi;
    }
}

/// A number, if it is one.
pub(super) fn some(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

impl Chart<'_> {
    /// The mean of the baseline's `values`, each with its `weight`. None without a value and a known centre.
    ///
    /// Taken about the first value, so that equal values have exactly themselves as their mean.
    pub(super) fn level(&self, values: &[f64], weight: impl Fn(usize) -> f64) -> Option<Level> {
        let mut first = None;
        let (mut sum, mut total, mut n) = (0.0, 0.0, 0);
        for (row, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            if self.rows.counts(row) {
                let origin = *first.get_or_insert(*value);
                sum += weight(row) * (value - origin);
                total += weight(row);
                n += 1;
            }
        }
        match (self.known.center, first) {
            (Some(level), _) => Some(Level { value: level, weight: f64::INFINITY, n }),
            (None, Some(first)) => Some(Level { value: first + sum / total, weight: total, n }),
            (None, None) => None,
        }
    }

    /// The standard deviation of single `values` (`is_weighted`: of one with denominator 1) about their `level`, with
    /// what screening and autocorrelation ask for.
    pub(super) fn sigma(&self, values: &[f64], level: Level, is_weighted: bool) -> Sigma {
        let weight = |row: usize| if is_weighted { self.rows.size(row).sqrt() } else { 1.0 };
        let phi = self.spec.adjust.then(|| {
            let found = autocorrelation(self.rows, values, |row, value| weight(row) * (value - level.value));
            let n_means = f64::from(u8::from(self.known.center.is_none()));
            found.map_or(0.0, |found| unbiased_phi(found, level.n as f64, n_means).unwrap_or(0.0).clamp(0.0, PHI_MAX))
        });
        if let Some(sigma) = self.known.sigma {
            return Sigma { phi, ..Sigma::known(sigma) };
        }
        if self.spec.estimator() == Some(SigmaEstimator::Sd) {
            return self.sample_sd(values);
        }
        let rule = RangeRule {
            per_range: if is_weighted { super::Convention::Exact } else { self.spec.convention }.per_range(),
            screening: self.spec.screening(),
            limit: self.spec.convention.screening_limit(self.spec.kind),
        };
        let Some(found) = range_sigma(self.rows, values, is_weighted, rule) else {
            return Sigma::missing(phi);
        };
        let n = level.n as f64;
        let Some(value) = phi else {
            return Sigma {
                value: found.sigma,
                cv2: found.cv2,
                dims: found.n as f64,
                n_screened: found.n_screened,
                phi,
            };
        };
        let cv2 = found.cv2.max(autocorrelated_cv2(value, n));
        let dims = equivalent_df(cv2);
        Sigma { value: found.sigma / (1.0 - value).sqrt(), cv2, dims, n_screened: found.n_screened, phi }
    }

    /// The standard deviation of the baseline's `values` about their own mean: unbiased, but as it is by qicharts2's custom.
    fn sample_sd(&self, values: &[f64]) -> Sigma {
        let counting = || values.iter().enumerate().filter(|(row, value)| self.rows.counts(*row) && value.is_finite());
        let n = counting().count() as f64;
        let Some((_, first)) = counting().next() else { return Sigma::known(f64::NAN) };
        let mean = first + counting().map(|(_, value)| value - first).sum::<f64>() / n;
        let sum: f64 = counting().map(|(_, value)| (value - mean).powi(2)).sum();
        let unbias = if self.spec.convention == super::Convention::Qicharts2 { 1.0 } else { c4(n) };
        let cv2 = c4(n).powi(-2) - 1.0;
        Sigma { value: (sum / (n - 1.0)).sqrt() / unbias, cv2, dims: n - 1.0, n_screened: 0, phi: None }
    }

    /// How far limits reach from a centre with the error of `level`.
    pub(super) fn width(&self, level: Level, sigma: &Sigma, out: &mut Lines) -> Width<'_> {
        let mut width = Width { rows: self.rows, sigmas: self.spec.sigmas, later: None, n: 1.0, weight: level.weight };
        if self.spec.widen {
            let (law, tail) = (sigma.law(), normal::cdf(-self.spec.sigmas));
            width.later = match out.multiple {
                _ if law == SigmaLaw::KNOWN => Some(self.spec.sigmas),
                Some((of, at, multiple)) if of == law && at.total_cmp(&tail).is_eq() => Some(multiple),
                _ => Some(out.multiple.insert((law, tail, law.multiple(tail))).2),
            };
            let phi = sigma.phi.unwrap_or(0.0);
            width.n = mean_inflation(phi, level.n as f64);
        }
        width
    }
}

/// How far limits reach at each row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Width<'a> {
    rows: &'a LimitRows<'a>,
    sigmas: f64,
    /// The multiple for later rows, about a centre without error.
    later: Option<f64>,
    /// How much autocorrelation inflates the variance of the centre.
    n: f64,
    /// The weight of the baseline.
    weight: f64,
}

impl Width<'_> {
    /// The variance of the centre over that of a point of weight 1.
    pub(super) fn center_variance(&self) -> f64 {
        self.n / self.weight
    }

    /// Whether the row's limits are wider than the baseline's, and by which multiple about a centre without error.
    pub(super) fn later(&self, row: usize) -> Option<f64> {
        self.later.filter(|_| !self.rows.is_baseline(row))
    }

    /// The reach of a row whose point has this `weight` (its denominator, or 1), within `least` and `most`.
    pub(super) fn reach(&self, row: usize, weight: f64, least: f64, most: f64) -> Reach {
        let multiple = match self.later(row) {
            None => self.sigmas,
            Some(multiple) => multiple * (1.0 + weight * self.center_variance()).sqrt(),
        };
        Reach { multiple, sigmas: self.sigmas, least, most }
    }
}

/// n times the variance of the mean of `n` values with autocorrelation `phi` at lag 1, in units of theirs:
/// 1 + 2 sum (1 - k/n) phi^k, k = 1..n-1.
fn mean_inflation(phi: f64, n: f64) -> f64 {
    if n <= 1.0 {
        return 1.0;
    }
    (1.0 + phi) / (1.0 - phi) - 2.0 * phi * (1.0 - phi.powf(n)) / (n * (1.0 - phi).powi(2))
}

/// The squared coefficient of variation of a sigma from `n` values with autocorrelation `phi`, which holds the error of
/// the estimated autocorrelation too: that of the standard deviation, of (n - 1)(1 - phi^2)/(1 + phi^2) degrees of freedom
/// (Zwiers & von Storch 1995, J. Climate 8:336).
fn autocorrelated_cv2(phi: f64, n: f64) -> f64 {
    let square = phi * phi;
    0.5 / ((n - 1.0) * (1.0 - square) / (1.0 + square)).max(1.0)
}
