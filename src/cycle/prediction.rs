//! What the team expects to see, said before the data.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::measure::Direction;
use crate::record::{Record, invalid};

/// The side on which a change is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// On the good side of 0.
    Improve,
    /// On the bad side of 0.
    Worsen,
}

/// What the team expects to see, said before the data.
///
/// A prediction is a region for the *change* of one measure: the mean of the test window minus the mean of the
/// baseline, in the measure's own unit and with its own sign (a fall from 12% to 9% absent is -0.03). For a measure with a
/// standard it is the distance from the standard; where classes are compared, what the classes that try the change gain
/// beyond the others. Exactly one of
/// `at_least`, `at_most`, `between`, `direction` and `no_worse_than` says which.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// The name of the measure, one of the plan's.
    pub measure: String,
    /// The change will be this or more.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// The change will be this or less (for a measure that should fall, a negative number).
    #[serde(default)]
    pub at_most: Option<f64>,
    /// The change will lie between these two, both included.
    #[serde(default)]
    pub between: Option<[f64; 2]>,
    /// The change will be on the good ("improve") or on the bad side ("worsen") of 0.
    #[serde(default)]
    pub direction: Option<Side>,
    /// The measure will lose no more than this (0 or more), whichever way is better.
    #[serde(default)]
    pub no_worse_than: Option<f64>,
    /// How sure the team is, from 0 to 1.
    #[serde(default)]
    pub belief: Option<f64>,
    /// Why the team expects it.
    #[serde(default)]
    pub why: String,
    /// For whom; empty for everyone whom the measure covers.
    #[serde(default)]
    pub population: String,
    /// By when, as a day of the test window; the change is judged over the whole window.
    #[serde(default)]
    pub by: Option<Date>,
}

/// The region of the change that a prediction names, on the scale of the raw change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    lo: f64,
    hi: f64,
    /// Whether the ends belong to the region: "improve" means more than 0.
    ends: Ends,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Included,
    Excluded,
}

impl Region {
    /// Whether a change lies in the region. An end that belongs to it is reached within rounding: 8.1 - 5.1 is "at
    /// least 3".
    pub fn contains(&self, change: f64) -> bool {
        const ROUNDING: f64 = 1e-9;
        match self.ends {
            Ends::Included => {
                self.lo - ROUNDING * finite(self.lo) <= change && change <= self.hi + ROUNDING * finite(self.hi)
            }
            Ends::Excluded => self.lo < change && change < self.hi,
        }
    }

    /// Whether no change can lie in both regions.
    pub fn excludes(&self, other: &Self) -> bool {
        self.is_apart_from(other.lo, other.hi) || other.is_apart_from(self.lo, self.hi)
    }

    /// Whether an interval of changes has nothing in common with the region.
    pub fn is_apart_from(&self, lo: f64, hi: f64) -> bool {
        match self.ends {
            Ends::Included => hi < self.lo || lo > self.hi,
            Ends::Excluded => hi <= self.lo || lo >= self.hi,
        }
    }
}

/// The size of an end of a region; 0 where the region has no end.
fn finite(end: f64) -> f64 {
    if end.is_finite() { end.abs() } else { 0.0 }
}

impl Prediction {
    /// A prediction about a measure that names no region yet.
    pub fn new(measure: impl Into<String>) -> Self {
        Self {
            measure: measure.into(),
            at_least: None,
            at_most: None,
            between: None,
            direction: None,
            no_worse_than: None,
            belief: None,
            why: String::new(),
            population: String::new(),
            by: None,
        }
    }

    /// The change will be `value` or more.
    #[must_use]
    pub fn at_least(mut self, value: f64) -> Self {
        self.at_least = Some(value);
        self
    }

    /// The change will be `value` or less.
    #[must_use]
    pub fn at_most(mut self, value: f64) -> Self {
        self.at_most = Some(value);
        self
    }

    /// How sure the team is, from 0 to 1.
    #[must_use]
    pub fn believed(mut self, belief: f64) -> Self {
        self.belief = Some(belief);
        self
    }

    /// The region of the change, given which way is better; `None` where the region needs a direction and there is
    /// none, or where no region is named.
    pub fn region(&self, direction: Direction) -> Option<Region> {
        let (min, max) = (f64::NEG_INFINITY, f64::INFINITY);
        let included = |lo, hi| Some(Region { lo, hi, ends: Ends::Included });
        if let Some(value) = self.at_least {
            return included(value, max);
        }
        if let Some(value) = self.at_most {
            return included(min, value);
        }
        if let Some([lo, hi]) = self.between {
            return included(lo, hi);
        }
        if let Some(loss) = self.no_worse_than {
            return match direction {
                Direction::Up => included(-loss, max),
                Direction::Down => included(min, loss),
                Direction::Neutral => None,
            };
        }
        let is_upwards = match (self.direction?, direction) {
            (_, Direction::Neutral) => return None,
            (Side::Improve, Direction::Up) | (Side::Worsen, Direction::Down) => true,
            (Side::Improve, Direction::Down) | (Side::Worsen, Direction::Up) => false,
        };
        let (lo, hi) = if is_upwards { (0.0, max) } else { (min, 0.0) };
        Some(Region { lo, hi, ends: Ends::Excluded })
    }
}

impl Record for Prediction {
    const KIND: &'static str = "Prediction";

    fn validate(&self) -> Result<()> {
        if self.measure.trim().is_empty() {
            return Err(invalid(Self::KIND, "measure", "must name one of the plan's measures"));
        }
        let regions = [
            self.at_least.is_some(),
            self.at_most.is_some(),
            self.between.is_some(),
            self.direction.is_some(),
            self.no_worse_than.is_some(),
        ];
        let n = regions.iter().filter(|&&given| given).count();
        if n != 1 {
            let problem = format!(
                "must say what change is expected by exactly one of at_least, at_most, between, direction and \
                 no_worse_than; {n} are given"
            );
            return Err(invalid(Self::KIND, "", problem));
        }
        for (path, value) in
            [("at_least", self.at_least), ("at_most", self.at_most), ("no_worse_than", self.no_worse_than)]
        {
            if value.is_some_and(|value| !value.is_finite()) {
                return Err(invalid(Self::KIND, path, "must be a number"));
            }
        }
        if self.no_worse_than.is_some_and(|loss| loss < 0.0) {
            return Err(invalid(Self::KIND, "no_worse_than", "is a loss: 0 or more"));
        }
        if self.between.is_some_and(|[lo, hi]| !(lo.is_finite() && hi.is_finite() && lo <= hi)) {
            return Err(invalid(Self::KIND, "between", "must be two numbers, the smaller first"));
        }
        if self.belief.is_some_and(|belief| !(0.0..=1.0).contains(&belief)) {
            return Err(invalid(Self::KIND, "belief", "is a probability: between 0 and 1"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_region() {
        assert!(Prediction::new("score").validate().is_err());
        assert!(Prediction::new("score").at_least(3.0).validate().is_ok());
        let error = Prediction::new("score").at_least(3.0).at_most(5.0).validate().unwrap_err();
        assert!(error.to_string().contains("2 are given"), "{error}");
        assert!(Prediction::new("score").at_least(f64::NAN).validate().is_err());
        assert!(Prediction::new("score").at_least(3.0).believed(70.0).validate().is_err());
        assert!(Prediction::new("score").at_least(3.0).believed(f64::NAN).validate().is_err());
        assert!(Prediction { between: Some([5.0, 3.0]), ..Prediction::new("score") }.validate().is_err());
        assert!(Prediction { no_worse_than: Some(-1.0), ..Prediction::new("score") }.validate().is_err());
    }

    #[test]
    fn regions_lie_where_they_should() {
        let up = Prediction::new("m").at_least(3.0).region(Direction::Neutral).unwrap();
        assert!(up.contains(3.0) && up.contains(8.1 - 5.1) && !up.contains(2.9));
        assert!(up.is_apart_from(1.0, 2.9) && !up.is_apart_from(1.0, 3.0));

        let no_worse = Prediction { no_worse_than: Some(1.0), ..Prediction::new("m") };
        assert!(no_worse.region(Direction::Up).unwrap().contains(-1.0));
        assert!(!no_worse.region(Direction::Up).unwrap().contains(-1.1));
        assert!(no_worse.region(Direction::Down).unwrap().contains(1.0));
        assert!(!no_worse.region(Direction::Down).unwrap().contains(1.1));
        assert!(no_worse.region(Direction::Neutral).is_none());

        let improve = Prediction { direction: Some(Side::Improve), ..Prediction::new("m") };
        let region = improve.region(Direction::Down).unwrap();
        assert!(region.contains(-0.1) && !region.contains(0.0));
        assert!(region.is_apart_from(0.0, 2.0) && !region.is_apart_from(-0.1, 2.0));
        let worsen = Prediction { direction: Some(Side::Worsen), ..Prediction::new("m") };
        assert!(worsen.region(Direction::Down).unwrap().contains(0.1));
    }
}
