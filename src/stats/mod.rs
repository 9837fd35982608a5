//! Primitives on slices; each cites its source at the formula.

pub mod runs;
pub mod summary;
