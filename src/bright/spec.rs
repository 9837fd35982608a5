//! What makes a bright spot: the criteria, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// With this many units and more, the probability is the smallest of that under normal effects and those under two laws of
/// effects fitted to the units themselves: normal effects alone let too many false ones in when few units are far out
/// or the effects are skewed. With fewer no law can be fitted.
pub(crate) const ADAPTIVE_UNITS: usize = 50;
/// Where effects are skewed to the left every doubt counts so many times: no unit is far above the threshold then, and whatever
/// law is fitted, the candidates are those of which it says too much.
pub(crate) const SKEWED_DOUBT: f64 = 2.0;
/// Effects are not normal when the smooth law makes the estimates that much more likely (twice the logarithm): the 95% point
/// of chi-square with the 3 coefficients that it has beyond mean and variance.
pub(crate) const NOT_NORMAL: f64 = 7.815;
/// A question within a group needs this many units in it.
pub(crate) const PEERS: usize = 3;
/// A candidate is consistent when, whichever period is left out, it still exceeds the threshold with this probability.
pub(crate) const CONSISTENT_PROB: f64 = 0.50;
/// A unit's advantage lasts when it is more likely than not that it exceeds the threshold in enough of its periods.
pub(crate) const PERSISTENT_PROB: f64 = 0.50;
/// A unit is above its peers when it is so with this probability.
pub(crate) const ABOVE_PEERS_PROB: f64 = 0.80;
/// An effect is told from noise when half of what is seen of it is signal.
pub(crate) const RELIABLE: f64 = 0.50;
/// What a guard's findings risk being wrong, each.
pub(crate) const GUARD_ALPHA: f64 = 0.05;
/// Skewness of the units' residuals below which effects count as skewed to the left.
pub(crate) const SKEWED: f64 = -0.5;
/// Units it takes to speak of skewness (its standard error is then about 0.5).
pub(crate) const SKEWNESS_UNITS: usize = 20;
/// Share of rows at the maximum above which the outcome has a ceiling, and the rows it takes to say so.
pub(crate) const CEILING_SHARE: f64 = 0.05;
pub(crate) const CEILING_ROWS: usize = 20;
/// Ordinary units stand between these expected percentiles.
pub(crate) const TYPICAL_BAND: std::ops::RangeInclusive<f64> = 0.35..=0.65;
/// Ordinary units to visit for each candidate, and for all of them together.
pub(crate) const TYPICAL_PER_CANDIDATE: usize = 2;
pub(crate) const MOST_TYPICAL: usize = 200;
/// The default threshold in standard deviations of the outcome within period: below it an effect is small even among
/// those of whole programmes (Kraft 2020, Educ. Researcher 49:241: median effect 0.10).
pub(crate) const THRESHOLD_SD: f64 = 0.10;

/// How large an effect is worth learning from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// In units of the outcome, at least 0.
    Given(f64),
    /// A tenth of the outcome's standard deviation within period.
    #[default]
    TenthOfSd,
}

/// The words in which a unit is explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Words {
    /// The rows, in the plural.
    pub rows: String,
    /// The unit of the outcome, in the plural.
    pub values: String,
}

impl Default for Words {
    fn default() -> Self {
        Self { rows: "students".into(), values: "points".into() }
    }
}

/// The criteria for candidates.
///
/// ```
/// use brightspot::bright::{BrightSpec, Threshold};
/// let spec = BrightSpec { threshold: Threshold::Given(2.5), ..BrightSpec::default() };
/// assert!(spec.validate().is_ok());
/// assert_eq!(BrightSpec { fdr: 1.5, ..spec }.validate().unwrap_err().code(), "invalid_option");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BrightSpec {
    /// How large an effect is worth learning from.
    pub threshold: Threshold,
    /// The expected share of false ones among the candidates, at most.
    pub fdr: f64,
    /// The probability that the effect exceeds the threshold, at least.
    pub min_prob: f64,
    /// Rows of a unit, at least; units with fewer are not judged.
    pub min_n: usize,
    /// In how many of its periods a unit's effect must exceed the threshold to last; `None`: two thirds of them.
    pub min_periods: Option<usize>,
    /// How many units under the most similar conditions a unit is compared with.
    pub n_peers: usize,
    /// How far a peer's conditions may be, in standard deviations between units: Mahalanobis' distance over the root of the
    /// number of directions in which conditions differ.
    pub caliper: f64,
    /// The share of units whose chance of being among the top is told.
    pub top: f64,
    /// The probability that a guard is not worse than by its margin, at least.
    pub min_guard_prob: f64,
    /// The words in which a unit is explained.
    pub words: Words,
}

impl Default for BrightSpec {
    fn default() -> Self {
        Self {
            threshold: Threshold::default(),
            fdr: 0.10,
            min_prob: 0.80,
            min_n: 10,
            min_periods: None,
            n_peers: 30,
            caliper: 1.0,
            top: 0.10,
            min_guard_prob: 0.50,
            words: Words::default(),
        }
    }
}

impl BrightSpec {
    /// Checks every criterion.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for the first that is out of range.
    pub fn validate(&self) -> Result<()> {
        if let Threshold::Given(value) = self.threshold
            && !(value >= 0.0 && value.is_finite())
        {
            return Err(Error::option("threshold", value, "at least 0, in units of the outcome (higher is better)"));
        }
        if !(self.fdr > 0.0 && self.fdr < 1.0) {
            return Err(Error::option("fdr", self.fdr, "between 0 and 1, such as 0.10"));
        }
        if !(self.min_prob > 0.0 && self.min_prob < 1.0) {
            return Err(Error::option("min_prob", self.min_prob, "between 0 and 1, such as 0.80"));
        }
        if self.min_n == 0 {
            return Err(Error::option("min_n", self.min_n, "at least 1"));
        }
        if self.min_periods == Some(0) {
            return Err(Error::option("min_periods", 0, "at least 1, or none for two thirds of a unit's periods"));
        }
        if !(10..=1000).contains(&self.n_peers) {
            return Err(Error::option("n_peers", self.n_peers, "between 10 and 1000, such as 30"));
        }
        if !(self.caliper > 0.0 && self.caliper.is_finite()) {
            return Err(Error::option("caliper", self.caliper, "above 0, in standard deviations of a condition"));
        }
        if !(self.top > 0.0 && self.top < 1.0) {
            return Err(Error::option("top", self.top, "between 0 and 1, such as 0.10"));
        }
        if !(self.min_guard_prob > 0.0 && self.min_guard_prob < 1.0) {
            return Err(Error::option("min_guard_prob", self.min_guard_prob, "between 0 and 1, such as 0.50"));
        }
        Ok(())
    }
}
