//! One binary for all integration tests of the core.

mod synthetic;
mod mixed;
mod cycle;
mod decision;
mod journal;
mod schemas;
mod step;
mod chart_reference;
mod run_chart;
mod runs;
