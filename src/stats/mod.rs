//! Primitives on slices; each cites its source at the formula.

pub mod step;
pub mod summary;
pub mod trend;
