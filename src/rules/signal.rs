//! Signals: which rule a point or a chart breaks. A signal knows no direction; see [`super::Meaning`].

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
}

impl Signal {
    /// Every signal there is, in order.
    pub const ALL: &'static [Self] = &[Self::LongestRun, Self::FewCrossings];

    /// The code, as in JSON and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LongestRun => "longest_run",
            Self::FewCrossings => "few_crossings",
        }
    }

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of signals, small enough for every point to have its own; in JSON a list of codes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Vec<Signal>", into = "Vec<Signal>")]
#[schemars(with = "Vec<Signal>")]
pub struct Signals(u16);

impl Signals {
    /// No signal.
    pub const NONE: Self = Self(0);

    /// Adds a signal.
    pub fn insert(&mut self, signal: Signal) {
        self.0 |= signal.bit();
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
    }
}
