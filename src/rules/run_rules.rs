//! Rule sets for run charts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::anhoej::{longest_run_max, n_crossings_min};
use crate::stats::runs::RunLimits;
use crate::{Error, Result};

/// A named set of rules for runs about a centre line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunRules {
    /// Unusually long runs or unusually few crossings, for the number of points there are
    /// (Anhøj & Olesen 2014, PLOS ONE 9(11) e113825).
    #[default]
    Anhoej,
}

impl RunRules {
    /// The words that stand for a rule set.
    pub const WORDS: &'static str = "\"anhoej\"";

    /// The limits for `n_useful` points that are not on the centre line; none for no points.
    pub fn limits(self, n_useful: usize) -> Option<RunLimits> {
        if n_useful == 0 {
            return None;
        }
        match self {
            Self::Anhoej => Some(RunLimits::new(longest_run_max(n_useful), n_crossings_min(n_useful))),
        }
    }

    /// The word, as in JSON and in arguments.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anhoej => "anhoej",
        }
    }
}

impl std::str::FromStr for RunRules {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        match word {
            "anhoej" => Ok(Self::Anhoej),
            other => Err(Error::option("rules", format!("{other:?}"), Self::WORDS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_serde_writes() {
        assert_eq!("anhoej".parse::<RunRules>().unwrap(), RunRules::Anhoej);
        assert_eq!(serde_json::to_string(&RunRules::Anhoej).unwrap(), format!("{:?}", RunRules::Anhoej.as_str()));
        let error = "western".parse::<RunRules>().unwrap_err();
        assert_eq!(error.to_string(), "rules = \"western\" is not possible: it must be \"anhoej\"");
        assert_eq!(RunRules::Anhoej.limits(0), None);
    }
}
