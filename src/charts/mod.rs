//! Centre lines, phases and their signals: one file per family of charts.

mod notes;
mod phase;
pub mod rebase;
mod run_chart;

pub use notes::MIN_BASELINE;
pub use phase::{Baseline, Phase};
pub use run_chart::{PhaseResult, ProbBasis, RunChart, RunChartEngine, RunChartInput, RunChartSpec};
