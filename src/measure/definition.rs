//! A measure: the operational definition of what is counted, and in which columns it arrives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Direction;
use crate::{Error, Result};

/// How the rows of one date become one value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "MeasureKind")]
pub enum Kind {
    /// The mean of the values (weighted by `size` where a size column is given).
    #[default]
    Mean,
    /// The sum of the values over the sum of the sizes, between 0 and 1.
    Proportion,
    /// The sum of the values over the sum of the sizes, times `per`.
    Rate,
    /// The sum of the values.
    Count,
    /// The median of the values.
    Median,
}

impl Kind {
    /// Whether a value of this kind needs a denominator.
    pub fn needs_size(self) -> bool {
        matches!(self, Self::Proportion | Self::Rate)
    }
}

/// What a measure is for, in the family of measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "MeasureRole")]
pub enum Role {
    /// What the aim is about.
    Outcome,
    /// Whether the change reaches the classroom (a driver).
    Process,
    /// What must not get worse elsewhere.
    Balancing,
    /// What helps to understand the others.
    Context,
}

/// What is measured: an operational definition with a direction, and the columns in which it arrives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Its name, by which predictions and data refer to it.
    pub name: String,
    /// The column with the values; for a proportion or a rate, the counts above the line.
    #[serde(default = "value_column")]
    pub value: String,
    /// The column with the dates.
    #[serde(default = "time_column")]
    pub time: String,
    /// The column with the denominators; proportions and rates need one.
    #[serde(default)]
    pub size: Option<String>,
    /// The column with the students' ids: it joins scores before and after where classes are compared, and shows counts
    /// that come in clumps (several incidents of one student).
    #[serde(default)]
    pub student: Option<String>,
    /// Where one long frame holds several measures, the column with their names.
    #[serde(default = "measure_column")]
    pub measure: String,
    /// Which way is better.
    #[serde(default)]
    pub direction: Direction,
    /// How the rows of one date become one value.
    #[serde(default)]
    pub kind: Kind,
    /// What it is for; where left open, its place in the plan says it.
    #[serde(default)]
    pub role: Option<Role>,
    /// The unit of the value, as it should be written ("points", "minutes").
    #[serde(default)]
    pub unit_of_value: String,
    /// A rate counts events per so many (1000 student-days).
    #[serde(default = "one")]
    pub per: f64,
    /// What it should be, for a proportion (0 to 1), a rate or a count: the test window is then held against this standard
    /// and not against a baseline.
    #[serde(default)]
    pub standard: Option<f64>,
    /// The operational definition: who measures what, how and when.
    #[serde(default)]
    pub definition: String,
    /// The version of the definition; results of different versions are never pooled.
    #[serde(default = "first")]
    pub version: u32,
}

fn value_column() -> String {
    "value".into()
}

fn time_column() -> String {
    "date".into()
}

fn measure_column() -> String {
    "measure".into()
}

fn one() -> f64 {
    1.0
}

fn first() -> u32 {
    1
}

impl Measure {
    /// A measure with every default: a mean of the column "value" over "date", higher is better.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value_column(),
            time: time_column(),
            size: None,
            student: None,
            measure: measure_column(),
            direction: Direction::Up,
            kind: Kind::Mean,
            role: None,
            unit_of_value: String::new(),
            per: one(),
            standard: None,
            definition: String::new(),
            version: first(),
        }
    }

    /// Checks the measure's own rules.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`]: a blank name or column, a proportion or rate without `size`, a `per` that is not
    /// positive or stands on another kind than a rate, a standard that cannot be one, or version 0.
    pub fn validate(&self) -> Result<()> {
        let wrong = |path: &str, problem: &str| {
            Err(Error::InvalidRecord { record: "Measure".into(), path: path.into(), problem: problem.into() })
        };
        for (path, text) in
            [("name", &self.name), ("value", &self.value), ("time", &self.time), ("measure", &self.measure)]
        {
            if text.trim().is_empty() {
                return wrong(path, "must not be empty");
            }
        }
        if self.size.as_ref().is_some_and(|size| size.trim().is_empty()) {
            return wrong("size", "must not be empty; leave it out where there is no denominator");
        }
        if self.student.as_ref().is_some_and(|student| student.trim().is_empty()) {
            return wrong("student", "must not be empty; leave it out where rows have no student");
        }
        if self.kind.needs_size() && self.size.is_none() {
            return wrong("size", "a proportion or a rate needs the column with its denominators");
        }
        if !(self.per > 0.0 && self.per.is_finite()) {
            return wrong("per", "must be a number above 0");
        }
        // Any other value was put there on purpose.
        #[allow(clippy::float_cmp)]
        if self.per != 1.0 && self.kind != Kind::Rate {
            return wrong("per", "belongs to a rate (kind=\"rate\"); leave it at 1 for other kinds");
        }
        match (self.standard, self.kind) {
            (Some(_), Kind::Mean | Kind::Median) => {
                return wrong("standard", "belongs to a proportion, a rate or a count");
            }
            (Some(standard), Kind::Proportion) if !(standard > 0.0 && standard < 1.0) => {
                return wrong("standard", "of a proportion must lie between 0 and 1, both excluded: 0.8 for 80%");
            }
            (Some(standard), _) if !(standard > 0.0 && standard.is_finite()) => {
                return wrong("standard", "must be a number above 0");
            }
            _ => {}
        }
        if self.version == 0 {
            return wrong("version", "versions count from 1");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_needs_its_denominator() {
        let mut measure = Measure::new("suspensions");
        assert!(measure.validate().is_ok());
        measure.kind = Kind::Rate;
        let error = measure.validate().unwrap_err();
        assert_eq!(error.to_string(), "Measure.size: a proportion or a rate needs the column with its denominators");
        measure.size = Some("student_days".into());
        measure.per = 1000.0;
        assert!(measure.validate().is_ok());
        for per in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            measure.per = per;
            assert!(measure.validate().is_err());
        }
        measure = Measure { per: 100.0, ..Measure::new("score") };
        assert!(measure.validate().is_err());
        assert!(Measure::new("  ").validate().is_err());
        assert!(Measure { version: 0, ..Measure::new("score") }.validate().is_err());
    }

    #[test]
    fn only_the_name_is_asked_for() {
        let read: Measure = serde_json::from_str(r#"{"name": "score"}"#).unwrap();
        assert_eq!(read, Measure::new("score"));
        assert!(serde_json::from_str::<Measure>(r#"{"name": "score", "colour": "red"}"#).is_err());
    }
}
