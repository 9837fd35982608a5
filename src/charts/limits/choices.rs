//! The named choices: whose customs are followed, what is screened out, what sigma rests on.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spec::SIGMAS;
use crate::charts::ChartKind;
use crate::stats::constants::{D2_OF_TWO, range_moments};
use crate::{Error, Result};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $option:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every one there is, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word, as in JSON and in arguments.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(word: &str) -> Result<Self> {
                let named = Self::ALL.iter().find(|one| one.as_str() == word);
                named.copied().ok_or_else(|| {
                    let words: Vec<String> = Self::ALL.iter().map(|one| format!("{:?}", one.as_str())).collect();
                    Error::option($option, format!("{word:?}"), format!("one of {}", words.join(", ")))
                })
            }
        }
    };
}

words! {
    /// Whose constants and customs are followed.
    Convention, "convention" {
        /// Exact constants, no screening, unbiased estimates.
        Exact = "exact",
        /// As qicharts2 computes: 1.128 and 3.267, moving ranges screened once, Montgomery's rules for subgroups.
        Qicharts2 = "qicharts2",
        /// As the NHS's "Making data count" computes: the mean and 2.66 mean moving ranges, screened once at 3.267.
        Nhs = "nhs",
    }
}

#[allow(clippy::derivable_impls)] // the variants are made by a macro
impl Default for Convention {
    fn default() -> Self {
        Self::Exact
    }
}

words! {
    /// Whether moving ranges that are themselves beyond their limit are left out of the estimate of sigma.
    Screening, "screening" {
        /// All count.
        Off = "off",
        /// Those at or above the limit are left out once (Nelson 1982, J. Qual. Technol. 14:172).
        Once = "once",
        /// Again, until none is above the limit of those that are left.
        Repeated = "repeated",
    }
}

words! {
    /// What sigma is estimated from.
    SigmaEstimator, "estimator" {
        /// The mean moving range over d2.
        MovingRange = "moving_range",
        /// The standard deviation of all baseline values over c4: for rows without an order, as it takes a shift or a
        /// trend for scatter.
        Sd = "sd",
        /// The mean of the subgroups' ranges, each over its d2 (UWAVE-R).
        MeanRange = "mean_range",
        /// The mean of the subgroups' standard deviations, each over its c4 (UWAVE-SD).
        MeanSd = "mean_sd",
        /// Their mean weighted by precision, from ranges (MVLUE-R; Burr 1969, J. Qual. Technol. 1:163).
        WeightedRange = "weighted_range",
        /// Their mean weighted by precision, from standard deviations (MVLUE-SD).
        WeightedSd = "weighted_sd",
        /// The root of the pooled variance over c4 of its degrees of freedom plus one (RMSDF).
        PooledSd = "pooled_sd",
    }
}

/// What the spread of a subgroup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spread {
    /// Its standard deviation (divisor n - 1).
    Sd,
    /// Its range.
    Range,
}

impl Convention {
    /// How a mean moving range becomes sigma: multiplied by this.
    pub(super) fn per_range(self) -> f64 {
        match self {
            Self::Exact => 1.0 / D2_OF_TWO,
            Self::Qicharts2 => 1.0 / 1.128,
            Self::Nhs => 2.66 / 3.0,
        }
    }

    /// A moving range of this many mean moving ranges lies at its own upper limit.
    pub(super) fn screening_limit(self, kind: ChartKind) -> f64 {
        match (self, kind) {
            (Self::Exact, _) => 1.0 + SIGMAS * range_moments(2).d3 / D2_OF_TWO,
            (Self::Qicharts2, ChartKind::Ip) => 3.2665,
            (Self::Qicharts2 | Self::Nhs, _) => 3.267,
        }
    }
}
