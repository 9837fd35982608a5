//! Primitives on slices; each cites its source at the formula.

pub mod ash;
pub mod constants;
pub mod multiplicity;
pub mod normal;
pub mod runs;
pub mod sigma_law;
pub mod standing;
pub mod step;
pub mod summary;
pub mod trend;
