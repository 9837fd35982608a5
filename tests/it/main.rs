//! One binary for all integration tests of the core.

mod cycle;
mod decision;
#[cfg(feature = "journal")]
mod journal;
mod schemas;
mod step;
mod study_simulation;
