//! What comes in and what goes out: the rows of one phase, and their lines.

use std::collections::HashMap;

use super::known::Known;
use super::spec::LimitSpec;
use crate::charts::kind::SizeRole;
use crate::stats::sigma_law::SigmaLaw;
use crate::{Error, Result};

/// All rows of one phase in the order of time, those without a value and excluded ones among them.
#[derive(Debug, Clone, Copy, Default)]
pub struct LimitRows<'a> {
    /// What was measured; NaN where nothing was (an infinite value counts as nothing). I, MR, C, G, T, cusum, ewma and
    /// run: the value; I prime, P, P prime, U, U prime, NP: the numerator; Xbar, R, S: the mean of the subgroup.
    pub value: &'a [f64],
    /// The denominator, the exposure, or the number of measurements in the subgroup; empty where the kind takes none. A
    /// row whose denominator is missing, zero or negative has no value.
    pub size: &'a [f64],
    /// The spread of the subgroup as [`LimitSpec::spread`] says; empty where the kind takes none.
    pub spread: &'a [f64],
    /// Rows that are drawn and no part of an estimate; empty for none.
    pub is_excluded: &'a [bool],
    /// Rows that centre and limits rest on; empty for all.
    pub is_baseline: &'a [bool],
}

impl LimitRows<'_> {
    pub(super) fn is_excluded(&self, row: usize) -> bool {
        self.is_excluded.get(row).copied().unwrap_or(false)
    }

    pub(super) fn is_baseline(&self, row: usize) -> bool {
        self.is_baseline.is_empty() || self.is_baseline.get(row).copied().unwrap_or(false)
    }

    /// Whether the row is part of the estimates, if it has a value.
    pub(super) fn counts(&self, row: usize) -> bool {
        self.is_baseline(row) && !self.is_excluded(row)
    }

    /// The row's denominator, if it is one; NaN otherwise.
    pub(super) fn size(&self, row: usize) -> f64 {
        self.size.get(row).copied().filter(|size| *size > 0.0 && size.is_finite()).unwrap_or(f64::NAN)
    }

    /// The row's spread, if it is one; NaN otherwise.
    pub(super) fn spread(&self, row: usize) -> f64 {
        self.spread.get(row).copied().filter(|spread| *spread >= 0.0 && spread.is_finite()).unwrap_or(f64::NAN)
    }

    /// The values, NaN for those that are infinite.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        self.value.iter().map(|value| if value.is_finite() { *value } else { f64::NAN })
    }

    /// Numerators over denominators.
    pub(super) fn ratios(&self) -> impl Iterator<Item = f64> {
        self.values().enumerate().map(|(row, value)| value / self.size(row))
    }

    pub(super) fn validate(&self, spec: &LimitSpec, known: &Known) -> Result<()> {
        let n = self.value.len();
        let column = |option: &str, found: usize, is_needed: bool, is_taken: bool| {
            let allowed = match (found, is_needed, is_taken) {
                (0, true, _) if n > 0 => format!("given for kind {:?}, one for each row", spec.kind.as_str()),
                (0, ..) => return Ok(()),
                (_, _, false) => format!("left out for kind {:?}", spec.kind.as_str()),
                _ if found != n => format!("one for each of the {n} rows"),
                _ => return Ok(()),
            };
            Err(Error::option(option, format!("{found} rows"), allowed))
        };
        let role = spec.kind.size();
        let is_sized = matches!(role, SizeRole::Required | SizeRole::Subgroup);
        column("size", self.size.len(), is_sized, is_sized)?;
        let has_spread = spec.spread().is_some();
        let is_drawn = matches!(spec.kind, super::ChartKind::R | super::ChartKind::S);
        column("spread", self.spread.len(), has_spread && (is_drawn || known.sigma.is_none()), has_spread)?;
        column("exclude", self.is_excluded.len(), false, true)?;
        column("baseline", self.is_baseline.len(), false, true)?;
        if role == SizeRole::Subgroup {
            // Only numbers of measurements that are there: a missing one leaves its row without a value.
            if let Some((row, size)) =
                self.size.iter().enumerate().find(|(_, size)| **size > 0.0 && size.fract() != 0.0)
            {
                return Err(Error::InvalidValue {
                    what: "the number of measurements in a subgroup".into(),
                    found: format!("{size} in row {row}"),
                    remedy: "give whole numbers".into(),
                });
            }
        }
        Ok(())
    }
}

/// What is drawn at each row; NaN where there is nothing. Kept from phase to phase, so that nothing is allocated anew.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lines {
    /// The point: the value, ratio, moving range, spread, moving average, or upper cumulative sum.
    pub drawn: Vec<f64>,
    /// The lower cumulative sum, at or below 0; NaN in all other charts.
    pub lower: Vec<f64>,
    /// The centre line.
    pub center: Vec<f64>,
    /// The lower control limit.
    pub lcl: Vec<f64>,
    /// The upper control limit.
    pub ucl: Vec<f64>,
    /// How far the point lies from the centre in standard deviations, on the scale on which the limits are symmetric, so
    /// that an unclipped limit is at `sigmas` (of a T chart, the transformed scale; of a G chart, about the mean).
    /// Infinite off a line of zero width; NaN in run charts and cusums.
    pub z: Vec<f64>,
    /// Room for what is sorted.
    pub(super) room: Vec<f64>,
    /// The last law of sigma, the tail, and the multiple that they came to: the same in all charts of one length.
    pub(super) multiple: Option<(SigmaLaw, f64, f64)>,
    /// Laws of sigma by the bits of what they follow from: the same in all charts of one length.
    pub(super) laws: HashMap<[u64; 2], SigmaLaw>,
}

impl Lines {
    pub(super) fn clear(&mut self, n_rows: usize) {
        for line in [&mut self.drawn, &mut self.lower, &mut self.center, &mut self.lcl, &mut self.ucl, &mut self.z] {
            line.clear();
            line.resize(n_rows, f64::NAN);
        }
    }

    /// Puts values on a line.
    pub(super) fn fill(line: &mut [f64], values: impl Iterator<Item = f64>) {
        line.iter_mut().zip(values).for_each(|(cell, value)| *cell = value);
    }

    /// Draws a row's centre line, its limits `multiple` times `sd` from it and within `range`, and the point's distance
    /// on the scale on which the limits are `sigmas` away. Without an `sd` (NaN) there are no limits.
    pub(super) fn draw(&mut self, row: usize, center: f64, sd: f64, reach: Reach) {
        let set = |line: &mut Vec<f64>, value: f64| {
            if let Some(cell) = line.get_mut(row) {
                *cell = value;
            }
        };
        let half = reach.multiple * sd;
        set(&mut self.center, center);
        set(&mut self.lcl, reach.within(center - half));
        set(&mut self.ucl, reach.within(center + half));
        let drawn = self.drawn.get(row).copied().unwrap_or(f64::NAN);
        set(&mut self.z, distance(drawn - center, half / reach.sigmas));
    }
}

/// `off` in units of `sd`; 0 on the line even if it has no width.
pub(super) fn distance(off: f64, sd: f64) -> f64 {
    if off == 0.0 && sd == 0.0 { 0.0 } else { off / sd }
}

/// How far limits reach.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// In standard deviations of the row's point.
    pub(super) multiple: f64,
    /// What that is called: the number of sigmas of the chart.
    pub(super) sigmas: f64,
    /// No limit is below this.
    pub(super) least: f64,
    /// No limit is above this.
    pub(super) most: f64,
}

impl Reach {
    /// The limit, cut off where it must be; NaN stays NaN.
    fn within(self, limit: f64) -> f64 {
        if limit.is_nan() { limit } else { limit.max(self.least).min(self.most) }
    }
}

/// What centre and limits of a phase rest on.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LinesSummary {
    /// The centre line; none where there is no baseline value, and none where it steps with the size of the rows.
    pub center: Option<f64>,
    /// What centre and limits follow from: the mean, proportion or rate (of a G chart the mean beside the median that is
    /// drawn; of a T chart the mean of the transformed times; of a cusum the target; of a spread chart none).
    pub level: Option<f64>,
    /// The standard deviation of single values: estimated, or as it is known. Of an I prime chart, of a value with
    /// denominator 1; of a T chart, of the transformed times.
    pub sigma: Option<f64>,
    /// How much points scatter about their centre, by moving ranges, in units of what their own law (binomial, Poisson,
    /// the scatter within subgroups) allows them: Laney's `sigma_z`.
    pub dispersion: Option<f64>,
    /// Whether a process that follows that law scatters as much one time in twenty or less.
    pub is_overdispersed: bool,
    /// Whether it scatters as little one time in twenty or less.
    pub is_underdispersed: bool,
    /// Values that the centre rests on.
    pub n_baseline: usize,
    /// Moving ranges that were left out as too large.
    pub n_screened: usize,
    /// Equivalent degrees of freedom of `sigma` (of `dispersion` where there is no sigma); none where nothing was
    /// estimated.
    pub df: Option<f64>,
    /// The autocorrelation that the limits allow for, if they do.
    pub phi: Option<f64>,
}
