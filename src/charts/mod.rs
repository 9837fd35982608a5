//! Centre lines, phases and their signals: one file per family of charts.

mod kind;
mod limits;
mod notes;
mod phase;
pub mod rebase;
mod run_chart;

pub use kind::{ChartKind, SizeRole};
pub use limits::{
    CUSUM_DECISION, CUSUM_REFERENCE, Convention, EWMA_WEIGHT, Known, LimitRows, LimitSpec, Lines, LinesSummary, SIGMAS,
    Screening, SigmaEstimator, Spread, lines as limit_lines,
};
pub use notes::MIN_BASELINE;
pub use phase::{Baseline, Phase};
pub use runs::ProbBasis;
pub use stable::{FalseSignals, false_signals};
