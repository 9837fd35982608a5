//! The variance between sites: eight estimators, Cochran's Q, and an interval by inverting it.

use serde::{Deserialize, Serialize};

use crate::stats::student::chi_square_quantile;
use crate::stats::summary::mean;
use crate::{Error, Result};

/// Steps of scoring at most.
const MOST_STEPS: usize = 1_000;
/// How near the maximum scoring ends, in parts of the variance of an effect.
const NEAR: f64 = 1e-7;

/// How the variance between sites, tau^2, is estimated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// `DerSimonian` & Laird (1986, Controlled Clin. Trials 7:177): moments of Q.
    Dl,
    /// Paule & Mandel (1982, J. Res. NBS 87:377): Q(tau^2) equals its expectation.
    Pm,
    /// Hedges (1983, Psychol. Bull. 93:388): the plain variance of the effects less their mean error.
    He,
    /// Maximum likelihood.
    Ml,
    /// Restricted maximum likelihood (Viechtbauer 2005, JEBS 30:261).
    #[default]
    Reml,
    /// Hunter & Schmidt (2004, Methods of Meta-Analysis, ch. 9).
    Hs,
    /// Sidik & Jonkman (2005, JRSS C 54:367).
    Sj,
    /// Empirical Bayes (Morris 1983, JASA 78:47); its equation is Paule & Mandel's.
    Eb,
    /// Equal effects: sites do not differ, tau^2 is zero by assumption.
    Ee,
}

/// Effects with their sampling variances.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effects<'a> {
    pub(super) y: &'a [f64],
    pub(super) v: &'a [f64],
}

/// Sums at one tau^2, with w = 1/(v + tau^2).
#[derive(Debug, Clone, Copy)]
pub(super) struct Weighted {
    /// sum w.
    pub(super) w: f64,
    /// sum w^2.
    pub(super) w2: f64,
    /// sum w^3.
    pub(super) w3: f64,
    /// The weighted mean.
    pub(super) mu: f64,
    /// Cochran's Q: sum w (y - mu)^2.
    pub(super) q: f64,
    /// sum w^2 (y - mu)^2, which is -dQ/dtau^2.
    pub(super) slope: f64,
    /// sum log w.
    ln_w: f64,
}

impl Weighted {
    /// Twice the derivative of the (restricted) log likelihood by tau^2.
    fn score(&self, is_restricted: bool) -> f64 {
        self.slope - self.w + if is_restricted { self.w2 / self.w } else { 0.0 }
    }
}

impl Effects<'_> {
    pub(super) fn k(&self) -> f64 {
        self.y.len() as f64
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (f64, f64)> + Clone + '_ {
        self.y.iter().copied().zip(self.v.iter().copied())
    }

    pub(super) fn at(&self, tau2: f64) -> Weighted {
        let mut sums = Weighted { w: 0.0, w2: 0.0, w3: 0.0, mu: 0.0, q: 0.0, slope: 0.0, ln_w: 0.0 };
        for (y, v) in self.rows() {
            let w = 1.0 / (v + tau2);
            sums.w += w;
            sums.w2 += w * w;
            sums.w3 += w * w * w;
            sums.mu += w * y;
            sums.ln_w += w.ln();
        }
        sums.mu /= sums.w;
        for (y, v) in self.rows() {
            let w = 1.0 / (v + tau2);
            let square = (y - sums.mu).powi(2);
            sums.q += w * square;
            sums.slope += w * w * square;
        }
        sums
    }

    /// The moment constant of Q, sum w - sum w^2 / sum w at tau^2 = 0.
    pub(super) fn moment(&self) -> f64 {
        let zero = self.at(0.0);
        zero.w - zero.w2 / zero.w
    }

    /// The tau^2 at which Q equals `target`; 0 where Q is below it from the start.
    ///
    /// Q is convex and falls, so Newton's steps from zero rise to the root and never pass it.
    pub(super) fn solve_q(&self, target: f64) -> f64 {
        let mut tau2 = 0.0;
        for _ in 0..500 {
            let sums = self.at(tau2);
            let step = (sums.q - target) / sums.slope;
            if !(step > 0.0 && step.is_finite()) {
                break;
            }
            tau2 += step;
            if step <= 1e-15 * tau2 {
                break;
            }
        }
        tau2
    }

    /// The interval of tau^2: where Q is no longer unlikely (Viechtbauer 2007, Stat. Med. 26:37).
    pub(super) fn profile(&self, level: f64) -> (f64, f64) {
        let (tail, df) = ((1.0 - level) / 2.0, self.k() - 1.0);
        (self.solve_q(chi_square_quantile(1.0 - tail, df)), self.solve_q(chi_square_quantile(tail, df)))
    }

    pub(super) fn tau2(&self, method: Method) -> Result<f64> {
        let k = self.k();
        let zero = self.at(0.0);
        let center = mean(self.y).unwrap_or(f64::NAN);
        let squares: f64 = self.y.iter().map(|y| (y - center).powi(2)).sum();
        let dl = ((zero.q - (k - 1.0)) / self.moment()).max(0.0);
        Ok(match method {
            Method::Ee => 0.0,
            Method::Dl => dl,
            Method::Pm | Method::Eb => self.solve_q(k - 1.0),
            Method::He => (squares / (k - 1.0) - mean(self.v).unwrap_or(f64::NAN)).max(0.0),
            Method::Hs => ((zero.q - k) / zero.w).max(0.0),
            Method::Sj => {
                let start = squares / k;
                // All effects alike: there is no crude estimate to start from, and nothing between the sites.
                if start > 0.0 { start * self.at(start).q / (k - 1.0) } else { 0.0 }
            }
            Method::Ml => self.likeliest(dl, false)?,
            Method::Reml => self.likeliest(dl, true)?,
        })
    }

    /// The maximum of the (restricted) likelihood: Fisher scoring, halving a step that lowers it, comes near; where its
    /// derivative changes sign is then bracketed, as near the maximum the likelihood itself is flat to its last digit.
    fn likeliest(&self, start: f64, is_restricted: bool) -> Result<f64> {
        let log_likelihood =
            |sums: &Weighted| 0.5 * (sums.ln_w - sums.q) - if is_restricted { 0.5 * sums.w.ln() } else { 0.0 };
        let (mut tau2, mut sums) = (start, self.at(start));
        for _ in 0..MOST_STEPS {
            let share = if is_restricted { sums.w2 / sums.w } else { 0.0 };
            let information = if is_restricted { sums.w2 - 2.0 * sums.w3 / sums.w + share * share } else { sums.w2 };
            let mut step = (tau2 + sums.score(is_restricted) / information).max(0.0) - tau2;
            let near = NEAR * (tau2 + sums.w / sums.w2);
            let mut next = self.at(tau2 + step);
            while log_likelihood(&next) < log_likelihood(&sums) && step.abs() > near {
                step /= 2.0;
                next = self.at(tau2 + step);
            }
            tau2 += step;
            sums = next;
            if step.abs() <= near {
                break;
            }
        }
        self.where_score_falls_to_zero(tau2, NEAR * (tau2 + sums.w / sums.w2), is_restricted)
    }

    /// The tau^2 nearest to a guess at which the score turns from positive to negative; 0 where it is negative from there.
    fn where_score_falls_to_zero(&self, guess: f64, within: f64, is_restricted: bool) -> Result<f64> {
        let rises = |tau2: f64| self.at(tau2).score(is_restricted) > 0.0;
        let (mut low, mut high, mut width) = (guess, guess, within);
        while low > 0.0 && !rises(low) {
            low = (low - width).max(0.0);
            width *= 2.0;
        }
        if !rises(low) {
            return Ok(0.0);
        }
        width = within;
        while rises(high) {
            high += width;
            width *= 2.0;
            if !high.is_finite() {
                return Err(Error::Numerical {
                    what: "the variance between sites".into(),
                    problem: "the likelihood rises without end; method=\"pm\" needs no maximum".into(),
                });
            }
        }
        // Halving ends where no number lies between.
        loop {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                return Ok(middle);
            }
            if rises(middle) { low = middle } else { high = middle }
        }
    }
}
