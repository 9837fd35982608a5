//! polars data frames in and out: the only module that knows polars.
//!
//! Each function here reads columns into slices, calls the part of the core that does the work, and writes plain
//! columns back. Long work is done in polars' own thread pool, so that two pools do not compete for the cores.

mod bright;
mod build;
mod columns;
mod factors;
mod groups;
mod mixed;
mod phases;
mod points;
mod run_chart;
mod run_chart_tables;
mod series;
mod synthetic;
mod time;

pub use bright::{BrightRequest, BrightTables, bright_spots};
pub use mixed::{MixedModel, MixedRequest, mixed_model};
pub use phases::{Baseline, Phases};
pub use points::{Aggregate, Scalar};
pub use run_chart::{RunChartRequest, RunChartTables, run_chart};
pub use series::{PlanFrames, plan_series};
pub use time::TimeValue;

impl From<polars::error::PolarsError> for crate::Error {
    fn from(error: polars::error::PolarsError) -> Self {
        Self::Numerical { what: "a table".into(), problem: error.to_string() }
    }
}
