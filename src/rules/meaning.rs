//! What a signal means, given which way is better.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::Direction;

/// What a signal means: kept apart from the signal itself, which knows no direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// A signal on the good side.
    Improvement,
    /// A signal on the bad side.
    Deterioration,
    /// A signal without a good or bad side.
    Neutral,
    /// No signal.
    #[default]
    None,
}

impl Meaning {
    /// Every meaning there is, in order.
    pub const ALL: &'static [Self] = &[Self::Improvement, Self::Deterioration, Self::Neutral, Self::None];

    /// The meaning of a signal on one side of the centre line: `side` > 0 above, < 0 below, 0 undecided.
    pub fn of_side(direction: Direction, side: f64) -> Self {
        let good = direction.sign() * side;
        if good > 0.0 {
            Self::Improvement
        } else if good < 0.0 {
            Self::Deterioration
        } else {
            Self::Neutral
        }
    }

    /// The code, as in JSON and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Improvement => "improvement",
            Self::Deterioration => "deterioration",
            Self::Neutral => "neutral",
            Self::None => "none",
        }
    }
}
