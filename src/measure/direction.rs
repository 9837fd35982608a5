//! Which way is better.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Which way a measure should move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Higher is better.
    #[default]
    Up,
    /// Lower is better.
    Down,
    /// Neither: a change is worth knowing, and has no good side.
    Neutral,
}

impl Direction {
    /// The words that stand for a direction.
    pub const WORDS: &'static str = "\"up\", \"down\" or \"neutral\"";

    /// +1 where higher is better, -1 where lower is, 0 where neither is.
    pub fn sign(self) -> f64 {
        match self {
            Self::Up => 1.0,
            Self::Down => -1.0,
            Self::Neutral => 0.0,
        }
    }
}

impl std::str::FromStr for Direction {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        match word {
            "up" => Ok(Self::Up),
            "down" => Ok(Self::Down),
            "neutral" => Ok(Self::Neutral),
            other => Err(Error::option("direction", format!("{other:?}"), Self::WORDS)),
        }
    }
}
