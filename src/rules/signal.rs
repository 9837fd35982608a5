//! Signals: which rule a point or a chart breaks. A signal knows no direction; see [`super::Meaning`].

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Signal {
    /// The point belongs to a run that is longer than the rules allow.
    LongestRun,
    /// The series crosses its centre line less often than the rules demand.
    FewCrossings,
    /// The point lies above the upper or below the lower limit.
    BeyondLimits,
    /// The point belongs to a shift: so many points in a row on one side of the centre line.
    Shift,
    /// The point belongs to a trend: so many points in a row that rise, or that fall.
    Trend,
    /// The point belongs to two of three that lie far out on one side.
    TwoOfThree,
    /// The point belongs to four of five that lie far out on one side.
    FourOfFive,
    /// The point belongs to so many of a window that lie far out on one side.
    Zone,
    /// The point belongs to so many in a row close to the centre line.
    Hugging,
    /// The point belongs to so many in a row away from the centre line.
    Avoiding,
    /// The point belongs to so many in a row that go up and down in turn.
    Alternating,
    /// The series has fewer runs than a random order.
    FewRuns,
    /// The series has more runs than a random order.
    ManyRuns,
}

impl Signal {
    /// Every signal there is, in order.
    pub const ALL: &'static [Self] = &[
        Self::LongestRun,
        Self::FewCrossings,
        Self::BeyondLimits,
        Self::Shift,
        Self::Trend,
        Self::TwoOfThree,
        Self::FourOfFive,
        Self::Zone,
        Self::Hugging,
        Self::Avoiding,
        Self::Alternating,
        Self::FewRuns,
        Self::ManyRuns,
    ];

    /// The code, as in JSON and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LongestRun => "longest_run",
            Self::FewCrossings => "few_crossings",
            Self::BeyondLimits => "beyond_limits",
            Self::Shift => "shift",
            Self::Trend => "trend",
            Self::TwoOfThree => "two_of_three",
            Self::FourOfFive => "four_of_five",
            Self::Zone => "zone",
            Self::Hugging => "hugging",
            Self::Avoiding => "avoiding",
            Self::Alternating => "alternating",
            Self::FewRuns => "few_runs",
            Self::ManyRuns => "many_runs",
        }
    }

    fn bit(self) -> u32 {
        1 << self as u16
    }
}

/// A set of signals, small enough for every point to have its own; in JSON a list of codes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Vec<Signal>", into = "Vec<Signal>")]
#[schemars(with = "Vec<Signal>")]
pub struct Signals(u32);

impl Signals {
    /// No signal.
    pub const NONE: Self = Self(0);

    /// Adds a signal.
    pub fn insert(&mut self, signal: Signal) {
        self.0 |= signal.bit();
    }

    /// The signals of either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the signal is in the set.
    pub fn contains(self, signal: Signal) -> bool {
        self.0 & signal.bit() != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The signals, in their fixed order.
    pub fn iter(self) -> impl Iterator<Item = Signal> {
        Signal::ALL.iter().copied().filter(move |signal| self.contains(*signal))
    }

    /// Their codes, in their fixed order.
    pub fn codes(self) -> impl Iterator<Item = &'static str> {
        self.iter().map(Signal::as_str)
    }
}

/// Adds a signal to the points of a range that belong to its pattern.
pub(super) fn mark(
    signals: &mut [Signals],
    range: RangeInclusive<usize>,
    signal: Signal,
    belongs: impl Fn(usize) -> bool,
) {
    let first = *range.start();
    for (point, i) in signals.get_mut(range).unwrap_or(&mut []).iter_mut().zip(first..) {
        if belongs(i) {
            point.insert(signal);
        }
    }
}

impl FromIterator<Signal> for Signals {
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> Self {
        let mut set = Self::NONE;
        signals.into_iter().for_each(|signal| set.insert(signal));
        set
    }
}

impl From<Vec<Signal>> for Signals {
    fn from(signals: Vec<Signal>) -> Self {
        signals.into_iter().collect()
    }
}

impl From<Signals> for Vec<Signal> {
    fn from(signals: Signals) -> Self {
        signals.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_its_codes() {
        let both: Signals = [Signal::FewCrossings, Signal::LongestRun].into_iter().collect();
        assert_eq!(both.codes().collect::<Vec<_>>(), ["longest_run", "few_crossings"]);
        let json = serde_json::to_string(&both).unwrap();
        assert_eq!(json, "[\"longest_run\",\"few_crossings\"]");
        assert_eq!(serde_json::from_str::<Signals>(&json).unwrap(), both);
        assert!(Signals::NONE.is_empty() && !both.is_empty());
        assert_eq!(Signals::NONE.union(both), both);
    }

    #[test]
    fn codes_are_what_serde_writes() {
        for (i, signal) in Signal::ALL.iter().enumerate() {
            assert_eq!(*signal as usize, i);
            assert_eq!(serde_json::to_string(signal).unwrap(), format!("\"{}\"", signal.as_str()));
        }
    }
}
