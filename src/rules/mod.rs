//! What a signal is (on slices), and what it means given a direction.

mod anhoej;
mod meaning;
mod run_rules;
mod signal;

pub use anhoej::{longest_run_max, n_crossings_min};
pub use meaning::Meaning;
pub use run_rules::{RunLimits, RunRules};
pub use signal::{Signal, Signals};
