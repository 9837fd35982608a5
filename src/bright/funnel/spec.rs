//! What is asked of a funnel chart, and what it is made of.

use serde::{Deserialize, Serialize};

use super::Kind;
use crate::{Error, Result};

/// How more scatter than the sizes explain is allowed for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overdispersion {
    /// Units truly differ, by a variance tau^2 that is added to each one's sampling variance.
    #[default]
    Additive,
    /// Each sampling variance is multiplied by the same factor, where that is clearly above 1.
    Multiplicative,
    /// Not at all: limits of chance alone, exact for counts.
    None,
}

/// What is done about extreme units before the scatter is measured, so that they do not hide themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trim {
    /// The outermost share on either side is drawn in to its edge.
    #[default]
    Winsorise,
    /// The outermost tenths are left out, by rank (as the NHS does for its mortality indicator).
    Truncate,
}

/// How a funnel chart is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FunnelSpec {
    /// What the values are.
    pub kind: Kind,
    /// How overdispersion is allowed for.
    pub overdispersion: Overdispersion,
    /// The levels of the limits, each between 0 and 1.
    pub levels: Vec<f64>,
    /// The value that units are compared with; `None` for that of all units together.
    pub target: Option<f64>,
    /// The share of units on either side that counts as extreme.
    pub trim_share: f64,
    /// What is done about them.
    pub trim: Trim,
}

impl Default for FunnelSpec {
    fn default() -> Self {
        Self {
            kind: Kind::Proportion,
            overdispersion: Overdispersion::Additive,
            levels: vec![0.95, 0.998],
            target: None,
            trim_share: 0.1,
            trim: Trim::Winsorise,
        }
    }
}

impl FunnelSpec {
    pub(super) fn check(&self) -> Result<()> {
        if self.levels.is_empty() {
            return Err(Error::option("levels", "[]", "one or more levels between 0 and 1"));
        }
        if let Some(level) = self.levels.iter().find(|level| !(**level > 0.0 && **level < 1.0)) {
            return Err(Error::option("levels", level, "made of levels between 0 and 1, both excluded"));
        }
        if !(0.0..0.5).contains(&self.trim_share) {
            return Err(Error::option("winsorise", self.trim_share, "at least 0 and below 0.5"));
        }
        Ok(())
    }
}

/// One value and one size per unit.
#[derive(Debug, Clone, Copy)]
pub struct FunnelInput<'a> {
    /// Counts (of a proportion, a ratio), or means.
    pub value: &'a [f64],
    /// Out of how many; the expected count of a ratio; the other count of a ratio of counts.
    pub size: &'a [f64],
    /// Of means: the standard deviation within units.
    pub sd: Option<f64>,
}

impl FunnelInput<'_> {
    pub(super) fn check(&self, kind: Kind) -> Result<()> {
        let (n_values, n_sizes) = (self.value.len(), self.size.len());
        if n_values != n_sizes {
            return Err(invalid("values and sizes", format!("{n_values} and {n_sizes}"), "give one size per value"));
        }
        if n_values == 0 {
            return Err(Error::TooFew {
                what: "a funnel chart".into(),
                needed: "one unit with a value and a size".into(),
                found: 0,
                remedy: "give rows with both".into(),
            });
        }
        for (unit, (&value, &size)) in self.value.iter().zip(self.size).enumerate() {
            let is_count = kind != Kind::Mean;
            if !value.is_finite() || !size.is_finite() || size <= 0.0 && kind != Kind::CountRatio || size < 0.0 {
                return Err(invalid(
                    "values and sizes",
                    format!("{value} of {size} at unit {unit}"),
                    "leave out units without a value or a size",
                ));
            }
            if is_count && value < 0.0 {
                return Err(invalid("counts", format!("{value} at unit {unit}"), "a count is not negative"));
            }
            if kind == Kind::Proportion && value > size {
                return Err(invalid(
                    "the counts of a proportion",
                    format!("{value} of {size} at unit {unit}, above its denominator"),
                    "correct it, or use kind=\"ratio\" if the size is an expected count",
                ));
            }
            if kind == Kind::RatioLog && value == 0.0 {
                return Err(invalid(
                    "the counts of a ratio on the log scale",
                    format!("0 at unit {unit}"),
                    "use kind=\"ratio\", which takes roots and can place it",
                ));
            }
        }
        match (kind, self.sd) {
            (Kind::Mean, Some(sd)) if sd > 0.0 && sd.is_finite() => Ok(()),
            (Kind::Mean, found) => Err(Error::option(
                "sd",
                found.map_or_else(|| "None".into(), |sd| sd.to_string()),
                "positive: a funnel of means needs the standard deviation within units",
            )),
            _ => Ok(()),
        }
    }
}

fn invalid(what: &str, found: String, remedy: &str) -> Error {
    Error::InvalidValue { what: what.into(), found, remedy: remedy.into() }
}
