//! One binary for all integration tests of the core.

mod bright;
mod calibration;
mod chart_reference;
mod contrast;
mod cycle;
mod decision;
mod drift;
#[cfg(feature = "frame")]
mod frame;
mod funnel;
mod glmm;
mod growth;
mod invariants;
#[cfg(feature = "journal")]
mod journal;
mod limits;
mod lme4_files;
mod mixed;
mod pooling;
mod practice_life;
mod practices;
mod qicharts2_signals;
mod ramp;
mod rebase;
mod reliability;
mod routes;
mod rules;
mod run_chart;
mod runs;
mod schemas;
mod slopes;
mod stable;
mod step;
mod study_routes_simulation;
mod study_simulation;
mod synthetic;
mod tables;
