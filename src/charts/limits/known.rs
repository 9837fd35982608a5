//! What the user knows of a process.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::charts::ChartKind;
use crate::{Error, Result};

/// What the user knows: each replaces what would be estimated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Known {
    /// The centre line, in the unit of what is drawn; of a cusum the target.
    pub center: Option<f64>,
    /// The standard deviation of single values (of an I prime chart, of a value with denominator 1).
    pub sigma: Option<f64>,
    /// The lower control limit, in the unit of what is drawn.
    pub lcl: Option<f64>,
    /// The upper control limit, in the unit of what is drawn.
    pub ucl: Option<f64>,
}

impl Known {
    /// Whether the kind of chart takes what is given, and whether it is possible.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] that names what was given, and what would be right.
    pub fn validate(&self, kind: ChartKind) -> Result<()> {
        let name = kind.as_str();
        for (option, given) in [("known_center", self.center), ("known_lcl", self.lcl), ("known_ucl", self.ucl)] {
            match given {
                Some(value) if !value.is_finite() => return Err(Error::option(option, value, "a finite number")),
                _ => {}
            }
        }
        if let Some(center) = self.center {
            let is_share = matches!(kind, ChartKind::P | ChartKind::Pp);
            if is_share && !(0.0..=1.0).contains(&center) {
                return Err(Error::option("known_center", center, format!("from 0 to 1 for kind {name:?}")));
            }
            if kind.is_never_negative() && center < 0.0 {
                return Err(Error::option("known_center", center, format!("0 or more for kind {name:?}")));
            }
        }
        if let Some(sigma) = self.sigma {
            if !kind.takes_sigma() {
                let allowed = format!("left out: kind {name:?} has no standard deviation of its own");
                return Err(Error::option("known_sigma", sigma, allowed));
            }
            if !(sigma > 0.0 && sigma.is_finite()) {
                return Err(Error::option("known_sigma", sigma, "a number above 0"));
            }
        }
        let has_none = matches!(kind, ChartKind::Run | ChartKind::Cusum);
        if let Some(limit) = self.lcl.or(self.ucl).filter(|_| has_none) {
            let allowed = if kind == ChartKind::Run { "it has none" } else { "they follow from `decision`" };
            return Err(Error::option("known limits", limit, format!("left out for kind {name:?}: {allowed}")));
        }
        let in_order = |low: Option<f64>, high: Option<f64>| match (low, high) {
            (Some(low), Some(high)) => low <= high,
            _ => true,
        };
        if !(in_order(self.lcl, self.ucl) && in_order(self.lcl, self.center) && in_order(self.center, self.ucl)) {
            let given = [self.lcl, self.center, self.ucl].map(|one| one.map_or("-".into(), |value| value.to_string()));
            return Err(Error::option(
                "known limits",
                given.join(", "),
                "lower limit, centre, upper limit in this order",
            ));
        }
        Ok(())
    }
}
