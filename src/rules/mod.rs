//! What a signal is (on slices), and what it means given a direction.
//!
//! A [`RuleSet`] is data: a list of [`Rule`]s, each with its length and with what it does about ties and which points it
//! marks. It judges a [`Line`], the points of one phase, and writes the [`Signals`] of every point. A signal knows no
//! direction: [`Meaning`], [`Assurance`] and [`Variation`] say what is good.

mod anhoej;
mod icons;
mod judge;
mod meaning;
mod named;
mod rule;
mod rule_set;
mod runs_table;
mod signal;
mod stretches;
mod tables;
mod windows;

pub use anhoej::{longest_run_max, n_crossings_min};
pub use icons::{Assurance, Variation, assurance, signal_sides, variation};
pub use judge::{Line, sigmas_off};
pub use meaning::Meaning;
pub use rule::{Flags, Rule, Ties};
pub use rule_set::RuleSet;
pub use runs_table::{n_runs_max, n_runs_min};
pub use signal::{Signal, Signals};
pub use tables::RuleTables;

pub use crate::stats::runs::{Corner, RunLimits};
