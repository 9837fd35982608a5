//! The interval of the mean effect.

use serde::{Deserialize, Serialize};

use super::heterogeneity::Weighted;
use super::predictive::predictive;
use super::{Method, PoolSpec, heterogeneity::Effects};
use crate::stats::{normal, student};

/// How the interval of the mean effect is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// Hartung & Knapp (2001, Stat. Med. 20:3875), Sidik & Jonkman (2002, Stat. Med. 21:3153), with a factor of at least 1
    /// (Röver, Knapp & Friede 2015, BMC Med. Res. Methodol. 15:99): never narrower than the plain one.
    #[default]
    Hksj,
    /// The same without the lower bound of 1.
    HksjPlain,
    /// Normal, taking tau^2 as known: too narrow with few sites.
    Z,
}

/// How the interval for the effect in a new site is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prediction {
    /// By the confidence distribution of tau^2 (after Nagashima, Noma & Furukawa 2019, Stat. Methods Med. Res. 28:1689).
    #[default]
    Confidence,
    /// `mu +- quantile * sqrt(se^2 + tau^2)` with the quantile and se of the interval.
    Plugin,
    /// Higgins, Thompson & Spiegelhalter (2009, JRSS A 172:137): the same with the plain se and t on k - 2 degrees.
    Hts,
}

impl Interval {
    /// The standard error of the mean effect.
    pub(super) fn se(self, sums: &Weighted, k: f64) -> f64 {
        let factor = sums.q / (k - 1.0);
        let factor = match self {
            Self::Hksj => factor.max(1.0),
            Self::HksjPlain => factor,
            Self::Z => 1.0,
        };
        (factor / sums.w).sqrt()
    }

    /// The quantile that goes with it: Student's on k - 1 degrees of freedom, or normal.
    pub(super) fn quantile(self, p: f64, k: f64) -> f64 {
        if self == Self::Z { normal::quantile(p) } else { student::quantile(p, k - 1.0) }
    }

    /// The two-sided p of no effect.
    pub(super) fn p_value(self, statistic: f64, k: f64) -> f64 {
        let below = -statistic.abs();
        2.0 * if self == Self::Z { normal::cdf(below) } else { student::cdf(below, k - 1.0) }
    }
}

/// The interval for the effect in a new site; `None` where sites are taken as equal, or there are too few for it.
pub(super) fn prediction(effects: Effects<'_>, tau2: f64, spec: &PoolSpec) -> Option<(f64, f64)> {
    let (k, tail) = (effects.k(), spec.tail());
    if spec.method == Method::Ee {
        return None;
    }
    let sums = effects.at(tau2);
    let around = |quantile: f64, se: f64| {
        let half = quantile * (se * se + tau2).sqrt();
        (sums.mu - half, sums.mu + half)
    };
    match spec.prediction {
        Prediction::Confidence => predictive(effects, tail),
        Prediction::Plugin => Some(around(spec.interval.quantile(1.0 - tail, k), spec.interval.se(&sums, k))),
        Prediction::Hts if k > 2.0 => Some(around(student::quantile(1.0 - tail, k - 2.0), Interval::Z.se(&sums, k))),
        Prediction::Hts => None,
    }
}
