//! The list of all records: the only registry there is. The published schemas and the check of data come from it.

use serde_json::Value;

use super::{
    Adoption, Amendment, Cancellation, ClassStudy, Comparison, Cycle, Decision, Doing, FidelityRule, GateCheck, Guard,
    GuardCheck, MeasureStudy, Origin, Plan, Practice, PracticeCycle, PracticeRules, PracticeStanding, PracticeStep,
    Prediction, PredictionCheck, RegressionToMean, Retirement, Selection, Study, Task,
};
use crate::measure::{Measure, Point};
use crate::record::{Kind, Record, kind_named, schema_document};
use crate::{Note, Result};

/// Every kind of record.
pub const RECORDS: &[Kind] = &[
    Kind::of::<Measure>(),
    Kind::of::<Guard>(),
    Kind::of::<Prediction>(),
    Kind::of::<Task>(),
    Kind::of::<Comparison>(),
    Kind::of::<Selection>(),
    Kind::of::<FidelityRule>(),
    Kind::of::<Plan>(),
    Kind::of::<Doing>(),
    Kind::of::<Point>(),
    Kind::of::<Note>(),
    Kind::of::<ClassStudy>(),
    Kind::of::<RegressionToMean>(),
    Kind::of::<MeasureStudy>(),
    Kind::of::<GuardCheck>(),
    Kind::of::<PredictionCheck>(),
    Kind::of::<Study>(),
    Kind::of::<Amendment>(),
    Kind::of::<Decision>(),
    Kind::of::<Cancellation>(),
    Kind::of::<Cycle>(),
    Kind::of::<Origin>(),
    Kind::of::<Retirement>(),
    Kind::of::<Practice>(),
    Kind::of::<Adoption>(),
    Kind::of::<PracticeRules>(),
    Kind::of::<GateCheck>(),
    Kind::of::<PracticeStep>(),
    Kind::of::<PracticeCycle>(),
    Kind::of::<PracticeStanding>(),
];

/// The JSON Schemas of all records, as one document.
pub fn schemas() -> Value {
    schema_document(RECORDS)
}

/// Checks data of a kind: data to struct (with the path of the field in the error), to the record's own rules, to data
/// with its defaults filled in.
///
/// # Errors
/// [`crate::Error::InvalidOption`] for a kind that does not exist; [`crate::Error::InvalidRecord`].
///
/// ```
/// use brightspot::cycle::check;
/// use serde_json::json;
///
/// let task = check("Task", json!({"what": "Watch the lesson"}))?;
/// assert_eq!(task, json!({"what": "Watch the lesson", "who": "", "when": null, "where": ""}));
/// let error = check("Guard", json!({"measure": {"name": "fluency", "per": "x"}, "margin": 1})).unwrap_err();
/// assert!(error.to_string().starts_with("Guard.measure.per: "));
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn check(kind: &str, data: Value) -> Result<Value> {
    (kind_named(RECORDS, kind)?.check)(data)
}

impl Record for MeasureStudy {
    const KIND: &'static str = "MeasureStudy";

    fn validate(&self) -> Result<()> {
        Ok(())
    }
}

impl Record for GuardCheck {
    const KIND: &'static str = "GuardCheck";

    fn validate(&self) -> Result<()> {
        Ok(())
    }
}

impl Record for PredictionCheck {
    const KIND: &'static str = "PredictionCheck";

    fn validate(&self) -> Result<()> {
        Ok(())
    }
}
