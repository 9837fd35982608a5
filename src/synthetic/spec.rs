//! The sizes of a synthetic district.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The smallest class.
pub(super) const CLASS_MIN: u32 = 12;
/// The largest class.
pub(super) const CLASS_MAX: u32 = 32;
/// Five schools are given a part (three shifts of attendance, one fall of incidents, one of student-days); at least one
/// has none.
const SCHOOLS_MIN: u32 = 6;

/// How large a synthetic district is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DistrictSpec {
    /// Schools; 6 to 200.
    pub n_schools: u32,
    /// Teams (professional learning communities) of a school, one for each grade from 1 upwards; 1 to 8.
    pub plcs_per_school: u32,
    /// Teachers of the whole district, spread evenly over the teams: at least 2 for each.
    pub n_teachers: u32,
    /// Students enrolled in a year, within the chance of class sizes; 14 to 30 for each teacher.
    pub n_students: u32,
    /// School years with scores, the last of which begins in 2025; 2 to 6.
    pub years: u32,
    /// School weeks of the last year, for attendance and incidents; 24 to 38.
    pub weeks: u32,
}

impl Default for DistrictSpec {
    fn default() -> Self {
        Self { n_schools: 12, plcs_per_school: 5, n_teachers: 300, n_students: 7000, years: 2, weeks: 36 }
    }
}

impl DistrictSpec {
    /// Whether a district of these sizes can be made.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] names the first size that is out of its range.
    pub fn validate(&self) -> Result<()> {
        let between = |option, value: u32, low: u32, high: u32| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(Error::option(option, value, format!("from {low} to {high}")))
            }
        };
        between("n_schools", self.n_schools, SCHOOLS_MIN, 200)?;
        between("plcs_per_school", self.plcs_per_school, 1, 8)?;
        let n_plcs = self.n_plcs();
        between("n_teachers", self.n_teachers, 2 * n_plcs, 40 * n_plcs)?;
        between("n_students", self.n_students, (CLASS_MIN + 2) * self.n_teachers, (CLASS_MAX - 2) * self.n_teachers)?;
        between("years", self.years, 2, 6)?;
        between("weeks", self.weeks, 24, 38)
    }

    /// How many teams there are.
    pub fn n_plcs(&self) -> u32 {
        self.n_schools * self.plcs_per_school
    }
}
