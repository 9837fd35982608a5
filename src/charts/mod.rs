//! Centre lines, phases and their signals: one file per family of charts.

mod contrast;
mod notes;
mod phase;
mod run_chart;

pub use contrast::{Contrast, ContrastInput, ContrastMethod, Shape, contrast, contrast_with_standard};
pub use notes::MIN_BASELINE;
pub use phase::{Baseline, Phase};
pub use run_chart::{PhaseResult, ProbBasis, RunChart, RunChartEngine, RunChartInput, RunChartSpec};
