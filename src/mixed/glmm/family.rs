//! What is counted, and how its mean follows from the linear predictor.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A law of counts with its canonical link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Successes of a number of trials (1 for yes and no), by the logit of their probability.
    Binomial,
    /// Counts, by the logarithm of their mean; an exposure multiplies that mean.
    Poisson,
}

/// What one row gives at its linear predictor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Minus the log-likelihood is `loss` + size log `rest`, without what does not depend on the predictor: the
    /// logarithms of many rows are taken at once.
    pub(super) loss: f64,
    pub(super) rest: f64,
    pub(super) mean: f64,
    /// The derivative of the mean by the predictor, and the next.
    pub(super) weight: f64,
    pub(super) bend: f64,
}

impl Family {
    /// A row with count `y` of `size` trials at the predictor `eta`.
    #[inline]
    pub(super) fn at(self, eta: f64, y: f64, size: f64) -> Row {
        match self {
            Self::Binomial => {
                // The exponential of minus the size of eta never overflows.
                let e = (-eta.abs()).exp();
                let rest = 1.0 + e;
                let near = 1.0 / rest;
                let p = if eta >= 0.0 { near } else { e * near };
                let weight = size * e * near * near;
                Row {
                    loss: size * eta.max(0.0) - y * eta,
                    rest,
                    mean: size * p,
                    weight,
                    bend: weight * (1.0 - 2.0 * p),
                }
            }
            Self::Poisson => {
                let mean = eta.exp();
                Row { loss: mean - y * eta, rest: 1.0, mean, weight: mean, bend: mean }
            }
        }
    }

    /// Minus the log-likelihood of a row that does not depend on the predictor.
    pub(super) fn constant(self, y: f64, size: f64) -> f64 {
        use statrs::function::gamma::ln_gamma;
        match self {
            Self::Binomial if size <= 1.0 => 0.0,
            Self::Binomial => ln_gamma(y + 1.0) + ln_gamma(size - y + 1.0) - ln_gamma(size + 1.0),
            Self::Poisson => ln_gamma(y + 1.0),
        }
    }
}
