//! The kinds of chart, and what each of them takes.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Which chart is drawn: what a point is, and where its limits come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChartKind {
    /// Values about their median, without limits.
    Run,
    /// Single values about their mean; sigma from moving ranges.
    I,
    /// The moving ranges themselves.
    Mr,
    /// Ratios whose scatter shrinks with their denominator, sigma from moving ranges (Taylor's I prime).
    Ip,
    /// Means of subgroups; sigma from the scatter within them.
    Xbar,
    /// Ranges of subgroups.
    R,
    /// Standard deviations of subgroups.
    S,
    /// Proportions; sigma of the binomial.
    P,
    /// Proportions that scatter more, or less, than the binomial (Laney's P prime).
    Pp,
    /// Rates; sigma of the Poisson.
    U,
    /// Rates that scatter more, or less, than the Poisson (Laney's U prime).
    Up,
    /// Counts in equal areas of opportunity; sigma of the Poisson.
    C,
    /// Counts out of a number; sigma of the binomial.
    Np,
    /// Cases between events: geometric.
    G,
    /// Time between events: exponential, transformed to near normal.
    T,
    /// Two cumulative sums of what exceeds an allowance.
    Cusum,
    /// An exponentially weighted moving average.
    Ewma,
}

/// Whether a kind of chart takes a denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SizeRole {
    /// There is none.
    Never,
    /// The values may be ratios; the limits do not know the denominator.
    Optional,
    /// Every point has one, and the limits follow it.
    Required,
    /// It is the number of measurements in the subgroup.
    Subgroup,
}

impl ChartKind {
    /// Every kind there is, in order.
    pub const ALL: &'static [Self] = &[
        Self::Run,
        Self::I,
        Self::Mr,
        Self::Ip,
        Self::Xbar,
        Self::R,
        Self::S,
        Self::P,
        Self::Pp,
        Self::U,
        Self::Up,
        Self::C,
        Self::Np,
        Self::G,
        Self::T,
        Self::Cusum,
        Self::Ewma,
    ];

    /// The words that stand for a kind.
    pub const WORDS: &'static str = "\"run\", \"i\", \"mr\", \"ip\", \"xbar\", \"r\", \"s\", \"p\", \"pp\", \"u\", \
                                     \"up\", \"c\", \"np\", \"g\", \"t\", \"cusum\" or \"ewma\"";

    /// The word, as in JSON and in arguments.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::I => "i",
            Self::Mr => "mr",
            Self::Ip => "ip",
            Self::Xbar => "xbar",
            Self::R => "r",
            Self::S => "s",
            Self::P => "p",
            Self::Pp => "pp",
            Self::U => "u",
            Self::Up => "up",
            Self::C => "c",
            Self::Np => "np",
            Self::G => "g",
            Self::T => "t",
            Self::Cusum => "cusum",
            Self::Ewma => "ewma",
        }
    }

    /// Whether it takes a denominator.
    pub fn size(self) -> SizeRole {
        match self {
            Self::Run | Self::I | Self::Mr | Self::Cusum | Self::Ewma => SizeRole::Optional,
            Self::Ip | Self::P | Self::Pp | Self::U | Self::Up | Self::Np => SizeRole::Required,
            Self::Xbar | Self::R | Self::S => SizeRole::Subgroup,
            Self::C | Self::G | Self::T => SizeRole::Never,
        }
    }

    /// Whether its numerator is a part of its denominator.
    pub fn is_proportion(self) -> bool {
        matches!(self, Self::P | Self::Pp | Self::Np)
    }

    /// Whether its values are counts or times, which have no sign.
    pub fn is_never_negative(self) -> bool {
        !matches!(self, Self::Run | Self::I | Self::Ip | Self::Xbar | Self::Cusum | Self::Ewma)
    }

    /// Whether it has control limits.
    pub fn has_limits(self) -> bool {
        self != Self::Run
    }

    /// Whether runs about its centre line mean something: moving ranges, averages and sums share values with their
    /// neighbours, and so run by nature.
    pub fn has_runs(self) -> bool {
        !matches!(self, Self::Mr | Self::Cusum | Self::Ewma)
    }

    /// Whether its centre line is a median.
    pub fn is_about_median(self) -> bool {
        matches!(self, Self::Run | Self::G)
    }

    /// Whether its points measure spread, which has no good side of its own.
    pub fn is_of_spread(self) -> bool {
        matches!(self, Self::Mr | Self::R | Self::S)
    }

    /// Whether something else is drawn than what was measured.
    pub fn draws_other(self) -> bool {
        matches!(self, Self::Mr | Self::Cusum | Self::Ewma)
    }

    /// Whether what is drawn is the value of the point itself: what was measured, or a numerator over its denominator.
    pub fn draws_values(self) -> bool {
        !self.draws_other() && !matches!(self, Self::R | Self::S | Self::Np)
    }

    /// Whether its points have a distance from the centre line in sigmas, which zone rules need.
    pub fn has_zones(self) -> bool {
        !matches!(self, Self::Run | Self::Cusum)
    }

    /// Whether a known standard deviation can stand in for the estimate.
    pub fn takes_sigma(self) -> bool {
        matches!(self, Self::I | Self::Mr | Self::Ip | Self::Xbar | Self::R | Self::S | Self::Cusum | Self::Ewma)
    }

    /// Whether moving ranges of which some may be screened out give its sigma.
    pub fn has_moving_ranges(self) -> bool {
        matches!(self, Self::I | Self::Ip | Self::Pp | Self::Up | Self::T | Self::Cusum | Self::Ewma)
    }
}

impl FromStr for ChartKind {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        let named = Self::ALL.iter().find(|kind| kind.as_str() == word);
        named.copied().ok_or_else(|| Error::option("kind", format!("{word:?}"), format!("one of {}", Self::WORDS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_serde_writes() {
        for kind in ChartKind::ALL {
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("{:?}", kind.as_str()));
            assert_eq!(kind.as_str().parse::<ChartKind>().unwrap(), *kind);
            assert!(ChartKind::WORDS.contains(&format!("{:?}", kind.as_str())), "{kind:?}");
        }
        let error = "xmr".parse::<ChartKind>().unwrap_err();
        assert!(error.to_string().starts_with("kind = \"xmr\" is not possible: it must be one of \"run\", \"i\""));
    }
}
