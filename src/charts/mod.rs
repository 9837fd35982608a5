//! Charts over time: centre lines and limits, phases, their signals, and what changed between them.
//!
//! Data flow one way: [`LimitRows`] become [`Lines`] ([`limit_lines`]), a rule set judges the points about them, and the
//! law of a stable process ([`false_signals`]) says how often chance does as much. [`ChartEngine`] does all of it for every
//! phase of a series.

mod contrast;
mod engine;
mod judged;
mod kind;
mod limits;
mod notes;
mod phase;
pub mod rebase;
mod runs;
mod stable;

pub use contrast::{Contrast, ContrastInput, ContrastMethod, Shape, contrast, contrast_with_standard};
pub use engine::{Chart, ChartEngine, ChartInput, ChartSpec, PhaseResult};
pub use kind::{ChartKind, SizeRole};
pub use limits::{
    CUSUM_DECISION, CUSUM_REFERENCE, Convention, EWMA_WEIGHT, Known, LimitRows, LimitSpec, Lines, LinesSummary, SIGMAS,
    Screening, SigmaEstimator, Spread, lines as limit_lines,
};
pub use notes::MIN_BASELINE;
pub use phase::{Baseline, Phase};
pub use runs::ProbBasis;
pub use stable::{FalseSignals, false_signals};
