//! How new phases are looked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The ways to look for a new phase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RebaseMethod {
    /// Changes of level that stand against autocorrelation and against the search for their place.
    #[default]
    ChangePoint,
    /// The Stable Shift Algorithm: a long run on one side of the mean that the points after it do not take back.
    StableShift,
    /// A new median wherever a run of fixed length lies on one side of the last one.
    FixedRun,
}

impl RebaseMethod {
    /// The words that stand for a method.
    pub const WORDS: &'static str = "\"change_point\", \"stable_shift\" or \"fixed_run\"";

    /// The word, as in JSON and in arguments.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChangePoint => "change_point",
            Self::StableShift => "stable_shift",
            Self::FixedRun => "fixed_run",
        }
    }
}

impl std::str::FromStr for RebaseMethod {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        [Self::ChangePoint, Self::StableShift, Self::FixedRun]
            .into_iter()
            .find(|method| method.as_str() == word)
            .ok_or_else(|| Error::option("method", format!("{word:?}"), Self::WORDS))
    }
}

/// On which side of the line a run must lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunSide {
    /// Above it.
    Above,
    /// Below it.
    Below,
    /// Either.
    #[default]
    Both,
}

/// How new phases are looked for. An option that the method does not take must be left at its default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RebaseSpec {
    /// The method.
    pub method: RebaseMethod,
    /// Change point: how often a stable series may have a false proposal; above 0, below 1.
    pub alpha: f64,
    /// Change point: fewest points in a phase; at least 4.
    pub min_length: usize,
    /// Stable shift: points that the limits of a period rest on; at least 2.
    pub period_min: usize,
    /// Stable shift: points on one side of the centre line that are a shift; at least 2.
    pub shift_length: usize,
    /// Stable shift: points outside the limits of a period that are left out of them at most.
    pub max_exclusions: usize,
    /// Stable shift: whether a period is proposed only when no later point could have taken it back.
    pub no_regrets: bool,
    /// Fixed run: points whose median is the first line; at least 1.
    pub baseline: usize,
    /// Fixed run: points on one side of the line that make a new phase; at least 2.
    pub run_length: usize,
    /// Fixed run: on which side.
    pub side: RunSide,
}

impl Default for RebaseSpec {
    fn default() -> Self {
        Self {
            method: RebaseMethod::ChangePoint,
            alpha: 0.05,
            min_length: 8,
            period_min: 21,
            shift_length: 8,
            max_exclusions: 3,
            no_regrets: true,
            baseline: 13,
            run_length: 9,
            side: RunSide::Both,
        }
    }
}

impl RebaseSpec {
    /// The usual options of a method.
    pub fn of(method: RebaseMethod) -> Self {
        Self { method, ..Self::default() }
    }

    /// Whether the options are possible.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for the first that is not, or that its method does not take.
    pub fn validate(&self) -> Result<()> {
        // Positive tests, so that NaN fails.
        if !(self.alpha > 0.0 && self.alpha < 1.0) {
            return Err(Error::option("alpha", self.alpha, "above 0 and below 1"));
        }
        for (name, value, least) in [
            ("min_length", self.min_length, 4),
            ("period_min", self.period_min, 2),
            ("shift_length", self.shift_length, 2),
            ("baseline", self.baseline, 1),
            ("run_length", self.run_length, 2),
        ] {
            if value < least {
                return Err(Error::option(name, value, format!("at least {least}")));
            }
        }
        let (taken, names) = self.taken();
        if taken != *self {
            let found = "an option that it does not take";
            let allowed = format!("given {names} only; leave the other options at their defaults");
            return Err(Error::option(&format!("method {:?}", self.method.as_str()), found, allowed));
        }
        Ok(())
    }

    /// The same with only the options that the method takes, and their names.
    fn taken(&self) -> (Self, &'static str) {
        let usual = Self::of(self.method);
        match self.method {
            RebaseMethod::ChangePoint => {
                (Self { alpha: self.alpha, min_length: self.min_length, ..usual }, "alpha and min_length")
            }
            RebaseMethod::StableShift => (
                Self {
                    period_min: self.period_min,
                    shift_length: self.shift_length,
                    max_exclusions: self.max_exclusions,
                    no_regrets: self.no_regrets,
                    ..usual
                },
                "period_min, shift_length, max_exclusions and no_regrets",
            ),
            RebaseMethod::FixedRun => (
                Self { baseline: self.baseline, run_length: self.run_length, side: self.side, ..usual },
                "baseline, run_length and side",
            ),
        }
    }
}
