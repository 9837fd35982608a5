//! Primitives on slices; each cites its source at the formula.

pub mod ash;
pub(crate) mod beta;
pub mod constants;
pub mod gaps;
pub mod median_shift;
pub mod multiplicity;
pub(crate) mod nearest;
pub mod normal;
pub mod pooling;
pub(crate) mod normal_table;
pub mod proportions;
pub mod quantile_regression;
pub mod rates;
pub mod runs;
pub(crate) mod shared;
pub mod sigma_law;
pub(crate) mod spline;
pub mod standard;
pub mod standing;
pub mod step;
pub(crate) mod student;
pub mod storey;
pub mod summary;
pub mod tally;
pub mod totals;
pub mod trend;
