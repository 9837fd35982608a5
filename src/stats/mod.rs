//! Primitives on slices; each cites its source at the formula.

pub mod ash;
pub(crate) mod beta;
pub mod class_contrast;
pub mod constants;
pub mod gaps;
pub mod median_shift;
pub mod multiplicity;
pub mod normal;
pub mod proportions;
pub mod rate_difference;
pub mod rates;
pub mod regression;
pub mod runs;
pub mod sigma_law;
pub mod standard;
pub mod standing;
pub mod step;
pub mod summary;
pub mod tally;
pub mod totals;
pub mod trend;
