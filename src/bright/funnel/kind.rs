//! The scales on which units of unlike size can be compared.

use std::f64::consts::FRAC_PI_2;

use serde::{Deserialize, Serialize};

/// What the values of a funnel chart are (Spiegelhalter 2005, Stat. Med. 24:1185, table I and appendix).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A count out of a number: `asin sqrt(r/n)`, s = 1/(2 sqrt n).
    #[default]
    Proportion,
    /// An observed over an expected count: `sqrt(O/E)`, s = 1/(2 sqrt E).
    Ratio,
    /// The same on the log scale: `log(O/E)`, s = 1/sqrt E.
    RatioLog,
    /// The ratio of two counts: `log((a + .5)/(b + .5))`, s^2 = a/(a + .5)^2 + b/(b + .5)^2.
    CountRatio,
    /// A mean, s = sd/sqrt n.
    Mean,
}

impl Kind {
    /// The value as it is read: a share, a ratio, a mean.
    pub fn shown(self, value: f64, size: f64) -> f64 {
        if self == Self::Mean { value } else { value / size }
    }

    /// The value on the scale of comparison.
    pub(super) fn scaled(self, value: f64, size: f64) -> f64 {
        match self {
            Self::Proportion => (value / size).sqrt().asin(),
            Self::Ratio => (value / size).sqrt(),
            Self::RatioLog => (value / size).ln(),
            Self::CountRatio => ((value + 0.5) / (size + 0.5)).ln(),
            Self::Mean => value,
        }
    }

    /// Its standard error there.
    pub(super) fn se(self, value: f64, size: f64, sd: f64) -> f64 {
        match self {
            Self::Proportion | Self::Ratio => 0.5 / size.sqrt(),
            Self::RatioLog => 1.0 / size.sqrt(),
            Self::CountRatio => {
                let part = |count: f64| count / (count + 0.5).powi(2);
                (part(value) + part(size)).sqrt()
            }
            Self::Mean => sd / size.sqrt(),
        }
    }

    /// The standard error of a unit of this size that lies on the target, for the curve of the limits.
    pub(super) fn se_at(self, size: f64, target: f64, sd: f64) -> f64 {
        self.se(target * size, size, sd)
    }

    /// The target as it is read: that of all units together.
    pub(super) fn pooled(self, value: &[f64], size: &[f64]) -> f64 {
        let sizes: f64 = size.iter().sum();
        match self {
            Self::Proportion | Self::CountRatio => value.iter().sum::<f64>() / sizes,
            Self::Ratio | Self::RatioLog => 1.0,
            Self::Mean => value.iter().zip(size).map(|(value, size)| value * size).sum::<f64>() / sizes,
        }
    }

    /// A target as read, on the scale of comparison.
    pub(super) fn target(self, target: f64) -> f64 {
        match self {
            Self::Proportion => target.sqrt().asin(),
            Self::Ratio => target.sqrt(),
            Self::RatioLog | Self::CountRatio => target.ln(),
            Self::Mean => target,
        }
    }

    /// Back from the scale of comparison. An angle beyond a right one, or a root below zero, is no share and no ratio:
    /// squared without a bound it would come back from the wrong side.
    pub(super) fn back(self, scaled: f64) -> f64 {
        match self {
            Self::Proportion => scaled.clamp(0.0, FRAC_PI_2).sin().powi(2),
            Self::Ratio => scaled.max(0.0).powi(2),
            Self::RatioLog | Self::CountRatio => scaled.exp(),
            Self::Mean => scaled,
        }
    }
}
