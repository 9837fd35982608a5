//! Primitives on slices; each cites its source at the formula.

pub mod step;
pub mod ash;
pub mod multiplicity;
pub mod normal;
pub mod standing;
pub mod runs;
pub mod summary;
pub mod trend;
