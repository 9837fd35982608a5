//! What is asked of a pooling.

use serde::{Deserialize, Serialize};

use super::{Interval, Method, Prediction};
use crate::{Error, Result};

/// With fewer sites than this their effects are shown and not pooled: one or two say nothing about how sites differ.
pub const MIN_SITES: usize = 3;

/// How effects are pooled.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoolSpec {
    /// How the variance between sites is estimated.
    pub method: Method,
    /// How the interval of the mean effect is made.
    pub interval: Interval,
    /// How the interval for a new site is made.
    pub prediction: Prediction,
    /// The level of all intervals.
    pub level: f64,
    /// Whether a higher effect is the better one.
    pub is_higher_better: bool,
}

impl Default for PoolSpec {
    fn default() -> Self {
        Self {
            method: Method::Reml,
            interval: Interval::Hksj,
            prediction: Prediction::Confidence,
            level: 0.95,
            is_higher_better: true,
        }
    }
}

impl PoolSpec {
    pub(super) fn check(&self) -> Result<()> {
        if self.level > 0.0 && self.level < 1.0 {
            return Ok(());
        }
        Err(Error::option("level", self.level, "between 0 and 1, both excluded"))
    }

    /// The share of one tail.
    pub(super) fn tail(&self) -> f64 {
        (1.0 - self.level) / 2.0
    }
}
