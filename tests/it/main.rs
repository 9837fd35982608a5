//! One binary for all integration tests of the core.

mod chart_reference;
mod run_chart;
mod runs;
