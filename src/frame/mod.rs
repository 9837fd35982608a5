//! polars data frames in and out: the only module that knows polars.
//!
//! Each function here reads columns into slices, calls the part of the core that does the work, and writes plain
//! columns back. Long work is done in polars' own thread pool, so that two pools do not compete for the cores.

mod bright;
mod bright_tables;
mod build;
mod changes;
mod chart;
mod chart_request;
mod chart_tables;
mod codes;
mod columns;
mod drift;
mod factors;
mod false_signals;
mod funnel;
mod given;
mod groups;
mod growth;
mod mixed;
mod phases;
mod points;
mod pool;
mod practices;
mod random;
mod reading;
mod series;
mod sheet;
mod synthetic;
mod time;
mod variants;

pub use bright::{BrightRequest, BrightTables, GuardRequest, bright_spots};
pub use changes::{ContrastRequest, RebaseRequest, RebaseTables, contrast, propose_phases};
pub use chart::{ChartTables, chart};
pub use chart_request::{AllowFor, ChartRequest, rule_set};
pub use drift::{DriftRequest, DriftTables, value_added};
pub use false_signals::{FalseSignalRequest, false_signals};
pub use funnel::{FunnelRequest, FunnelTables, funnel};
pub use growth::{GrowthRequest, GrowthTables, growth_percentiles};
pub use mixed::{Membership, MixedModel, MixedRequest, mixed_model, mixed_moments};
pub use phases::{Baseline, Phases};
pub use points::Scalar;
pub use pool::{PoolRequest, PoolTables, pool};
pub use practices::{PracticeRequest, PracticeTables, practices};
pub use reading::Aggregate;
pub use series::{PlanFrames, plan_series};
pub use time::TimeValue;
pub use variants::{SlopesRequest, VariantModel, VariantRequest, mixed_variant};

impl From<polars::error::PolarsError> for crate::Error {
    fn from(error: polars::error::PolarsError) -> Self {
        Self::Numerical { what: "a table".into(), problem: error.to_string() }
    }
}
