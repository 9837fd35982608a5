//! One binary for all integration tests of the core.

mod bright;
mod chart_reference;
mod contrast;
mod cycle;
mod decision;
mod drift;
#[cfg(feature = "frame")]
mod frame;
mod funnel;
mod growth;
#[cfg(feature = "journal")]
mod journal;
mod limits;
mod mixed;
mod mixed_lme4;
mod pooling;
mod rebase;
mod rules;
mod run_chart;
mod runs;
mod schemas;
mod stable;
mod step;
mod study_simulation;
mod synthetic;
