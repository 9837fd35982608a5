//! Classes that try the change, and classes that go on as before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::record::{Record, invalid};

/// Classes in which the change is tried and classes with which they are compared, as they stand in the data of the
/// outcome: one row a student (or more).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The classes in which the change is tried; all others in the data are compared with. Leave empty where a column
    /// (`treated_column`) says it.
    #[serde(default)]
    pub treated: Vec<String>,
    /// The column that is true (or 1) for rows of classes in which the change is tried.
    #[serde(default)]
    pub treated_column: Option<String>,
    /// The column with the classes.
    #[serde(default = "class_column")]
    pub group: String,
    /// The column with each student's earlier score, where it stands in the rows of the test window.
    #[serde(default)]
    pub prior: Option<String>,
    /// Whether a lot decided which classes try the change.
    #[serde(default)]
    pub by_lot: bool,
}

fn class_column() -> String {
    "class".into()
}

impl Comparison {
    /// The change is tried in these classes.
    pub fn new(treated: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            treated: treated.into_iter().map(Into::into).collect(),
            treated_column: None,
            group: class_column(),
            prior: None,
            by_lot: false,
        }
    }
}

impl Record for Comparison {
    const KIND: &'static str = "Comparison";

    fn validate(&self) -> Result<()> {
        if self.treated.is_empty() == self.treated_column.is_none() {
            let problem =
                "must name the classes in which the change is tried, or `treated_column` the column that says so";
            return Err(invalid(Self::KIND, "treated", problem));
        }
        let columns = [
            ("treated_column", self.treated_column.as_ref()),
            ("group", Some(&self.group)),
            ("prior", self.prior.as_ref()),
        ];
        for (path, column) in columns {
            if column.is_some_and(|name| name.trim().is_empty()) {
                return Err(invalid(Self::KIND, path, "must not be empty"));
            }
        }
        Ok(())
    }
}

/// One class of a comparison, as it was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassStudy {
    /// The class.
    pub name: String,
    /// Whether the change was tried in it.
    pub is_treated: bool,
    /// Students that were counted.
    pub n: usize,
    /// Their mean before.
    pub before: Option<f64>,
    /// Their mean after.
    pub after: f64,
    /// The value that was compared: the mean after, less what the scores before explain (or less the mean before).
    pub value: f64,
}

impl Record for ClassStudy {
    const KIND: &'static str = "ClassStudy";

    fn validate(&self) -> Result<()> {
        Ok(())
    }
}
