//! Phases of a chart, each with its own centre line, and the part of a phase that the line rests on.

use std::ops::Range;

use super::limits::Known;
use crate::{Error, Result};

/// Which rows of a phase its centre line rests on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Baseline<'a> {
    /// All of them.
    #[default]
    All,
    /// The first so many rows (at least 1), rows without a value and excluded rows among them; the line is then frozen.
    First(usize),
    /// The rows that are flagged, one flag a row of the phase.
    Rows(&'a [bool]),
}

/// Consecutive rows with one centre line.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase<'a> {
    /// The rows of the chart that belong to it.
    pub rows: Range<usize>,
    /// The rows that its centre line rests on.
    pub baseline: Baseline<'a>,
    /// What is known from elsewhere (a standard, an earlier chart) and replaces what would be estimated.
    pub known: Known,
}

impl<'a> Phase<'a> {
    /// A phase whose lines rest on its baseline.
    pub fn new(rows: Range<usize>, baseline: Baseline<'a>) -> Self {
        Self { rows, baseline, known: Known::default() }
    }

    /// The same phase about a known line.
    #[must_use]
    pub fn with_known_center(mut self, center: f64) -> Self {
        self.known.center = Some(center);
        self
    }

    /// Whether the `index`-th row of the phase is of its baseline.
    pub(super) fn is_baseline(&self, index: usize) -> bool {
        match self.baseline {
            Baseline::All => true,
            Baseline::First(n) => index < n,
            Baseline::Rows(flags) => flags.get(index).copied().unwrap_or(false),
        }
    }

    fn validate(&self) -> Result<()> {
        match self.baseline {
            Baseline::First(0) => return Err(Error::option("baseline", 0, "at least 1 point")),
            Baseline::Rows(flags) if flags.len() != self.rows.len() => {
                let allowed = format!("one flag for each of the {} rows of the phase", self.rows.len());
                return Err(Error::option("baseline", format!("{} flags", flags.len()), allowed));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Checks that the phases follow one another and cover all `n_rows` rows.
pub(super) fn validate_phases(phases: &[Phase<'_>], n_rows: usize) -> Result<()> {
    let mut next = 0;
    for phase in phases {
        if phase.rows.start != next || phase.rows.end < phase.rows.start || phase.rows.end > n_rows {
            let allowed = format!("a range of rows that starts at {next} and ends by {n_rows}");
            return Err(Error::option("phases", format!("{:?}", phase.rows), allowed));
        }
        phase.validate()?;
        next = phase.rows.end;
    }
    if next < n_rows {
        return Err(Error::option(
            "phases",
            format!("{} phases up to row {next}", phases.len()),
            format!("phases that cover all {n_rows} rows"),
        ));
    }
    Ok(())
}
