//! A rule as data: what is a signal, with its length, and what it does with ties and which points it marks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::signal::Signal;
use crate::{Error, Result};

/// What becomes of a tie: a point on the centre line in a shift, a value equal to the one before it in a trend.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// It is passed over: it neither breaks the pattern nor makes it longer, and it is not marked.
    #[default]
    Skip,
    /// It breaks the pattern.
    Break,
    /// It counts as a point of the pattern that it follows.
    Count,
}

/// Which points of a pattern are marked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flags {
    /// Every point that makes up the pattern.
    #[default]
    All,
    /// The point that completes the pattern, and each that goes on with it.
    Completing,
}

/// One rule. In JSON a record whose field `rule` names it.
///
/// A rule judges the points of one phase that have a value and are not excluded, in the order of time. Rules that need
/// limits find nothing at points without them.
///
/// ```
/// use brightspot::rules::{Flags, Rule, Ties};
///
/// let rule: Rule = serde_json::from_str(r#"{"rule": "shift", "length": 8, "on_center": "break"}"#).unwrap();
/// assert_eq!(rule, Rule::Shift { length: 8, on_center: Ties::Break, flags: Flags::All });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Rule {
    /// A point above the upper or below the lower limit; a point on a limit is within (Shewhart 1931).
    BeyondLimits {},
    /// So many points in a row on one side of the centre line.
    Shift {
        /// How many points make a shift; 2 or more.
        length: usize,
        /// What becomes of a point on the centre line.
        #[serde(default)]
        on_center: Ties,
        /// Which points are marked.
        #[serde(default)]
        flags: Flags,
    },
    /// So many points in a row that rise, or that fall.
    Trend {
        /// How many points make a trend, the one it starts from among them; 3 or more.
        length: usize,
        /// What becomes of a value equal to the one before it.
        #[serde(default)]
        ties: Ties,
        /// Which points are marked.
        #[serde(default)]
        flags: Flags,
    },
    /// So many of a window of consecutive points farther from the centre line than so many sigmas, on one side.
    Zone {
        /// How many points must lie there.
        count: usize,
        /// How many points the window has.
        of: usize,
        /// How many sigmas from the centre line the zone begins; a point at its edge lies outside of it.
        sigmas: f64,
        /// Whether all points of the window must lie on that side of the centre line.
        #[serde(default)]
        is_one_sided: bool,
        /// Whether a point beyond the limits counts.
        #[serde(default = "yes")]
        counts_beyond_limits: bool,
        /// Whether the last point of the window must be one of those that count.
        #[serde(default = "yes")]
        ends_in_zone: bool,
        /// Which points are marked: the points that count, or the last of the window.
        #[serde(default)]
        flags: Flags,
    },
    /// So many points in a row within so many sigmas of the centre line, a point at the edge among them (Nelson 1984,
    /// test 7).
    Hugging {
        /// How many points; 2 or more.
        #[serde(default = "nelson::hugging")]
        length: usize,
        /// How many sigmas.
        #[serde(default = "nelson::sigmas")]
        sigmas: f64,
        /// Which points are marked.
        #[serde(default)]
        flags: Flags,
    },
    /// So many points in a row farther from the centre line than so many sigmas (Nelson 1984, test 8).
    Avoiding {
        /// How many points; 2 or more.
        #[serde(default = "nelson::avoiding")]
        length: usize,
        /// How many sigmas.
        #[serde(default = "nelson::sigmas")]
        sigmas: f64,
        /// Whether there must be points on both sides; else any side will do.
        #[serde(default = "yes")]
        both_sides: bool,
        /// Which points are marked.
        #[serde(default)]
        flags: Flags,
    },
    /// So many points in a row that go up and down in turn; two equal values end it (Nelson 1984, test 4).
    Alternating {
        /// How many points, the one it starts from among them; 3 or more.
        #[serde(default = "nelson::alternating")]
        length: usize,
        /// Which points are marked.
        #[serde(default)]
        flags: Flags,
    },
    /// A run longer than round(log2 n) + 3 points ([`super::longest_run_max`]); points on the centre line are passed over.
    LongestRun {},
    /// Fewer crossings than the 5% quantile of Binomial(n - 1, 1/2) ([`super::n_crossings_min`]).
    FewCrossings {},
    /// Longest run or crossings outside of the best box ([`crate::stats::runs::best_box`]).
    BestBox {},
    /// Longest run and crossings outside of the cut box ([`crate::stats::runs::cut_box`]).
    CutBox {},
    /// Fewer runs than a random order of as many points above as below shows but for this probability
    /// ([`super::n_runs_min`]).
    FewRuns {
        /// The probability, in one tail; above 0 and below .5.
        #[serde(default = "swed_eisenhart")]
        prob: f64,
    },
    /// More runs than a random order shows but for this probability ([`super::n_runs_max`]).
    ManyRuns {
        /// The probability, in one tail; above 0 and below .5.
        #[serde(default = "swed_eisenhart")]
        prob: f64,
    },
}

fn yes() -> bool {
    true
}

/// The tail of the runs table in Perla, Provost & Murray (2011), after Swed & Eisenhart (1943).
fn swed_eisenhart() -> f64 {
    0.025
}

/// Nelson (1984), J. Qual. Technol. 16:237.
mod nelson {
    pub(super) fn hugging() -> usize {
        15
    }

    pub(super) fn avoiding() -> usize {
        8
    }

    pub(super) fn alternating() -> usize {
        14
    }

    pub(super) fn sigmas() -> f64 {
        1.0
    }
}

impl Rule {
    /// Whether the rule looks at the limits or at sigma.
    pub fn needs_limits(&self) -> bool {
        matches!(self, Self::BeyondLimits {} | Self::Zone { .. } | Self::Hugging { .. } | Self::Avoiding { .. })
    }

    /// The signal that a [`Rule::Zone`] of this size gives.
    pub(super) fn zone_signal(count: usize, of: usize) -> Signal {
        match (count, of) {
            (2, 3) => Signal::TwoOfThree,
            (4, 5) => Signal::FourOfFive,
            _ => Signal::Zone,
        }
    }

    /// Checks the rule's numbers; `path` says where the rule stands.
    pub(super) fn validate(&self, path: &str) -> Result<()> {
        let at_least = |field: &str, found: usize, least: usize| {
            (found >= least)
                .then_some(())
                .ok_or_else(|| invalid(path, field, &format!("must be {least} or more, not {found}")))
        };
        let positive = |sigmas: f64| {
            let is_so = sigmas.is_finite() && sigmas > 0.0;
            is_so
                .then_some(())
                .ok_or_else(|| invalid(path, "sigmas", &format!("must be a number above 0, not {sigmas}")))
        };
        match *self {
            Self::Shift { length, .. } => at_least("length", length, 2),
            Self::Trend { length, .. } | Self::Alternating { length, .. } => at_least("length", length, 3),
            Self::Hugging { length, sigmas, .. } | Self::Avoiding { length, sigmas, .. } => {
                at_least("length", length, 2).and_then(|()| positive(sigmas))
            }
            Self::Zone { count, of, sigmas, .. } => {
                at_least("count", count, 1)?;
                if count > of {
                    return Err(invalid(path, "count", &format!("must not exceed the window of {of}, but is {count}")));
                }
                positive(sigmas)
            }
            Self::FewRuns { prob } | Self::ManyRuns { prob } if !(prob > 0.0 && prob < 0.5) => {
                Err(invalid(path, "prob", &format!("must be above 0 and below 0.5, not {prob}")))
            }
            _ => Ok(()),
        }
    }
}

/// A rule set that breaks one of its own rules.
pub(super) fn invalid(path: &str, field: &str, problem: &str) -> Error {
    let path = match (path, field) {
        (path, "") => path.to_owned(),
        ("", field) => field.to_owned(),
        (path, field) => format!("{path}.{field}"),
    };
    Error::InvalidRecord { record: "RuleSet".into(), path, problem: problem.into() }
}
