//! Single values: the value itself (I), its moving range (MR), and ratios with sizes of their own (I prime).

use super::choices::Convention;
use super::estimate::{Chart, Level, Sigma, some};
use super::rows::{Lines, LinesSummary};
use crate::stats::constants::{D2_OF_TWO, range_moments};

const NOWHERE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

/// I: the mean, and limits at so many sigmas by moving ranges.
pub(super) fn individuals(chart: Chart<'_>, out: &mut Lines) -> LinesSummary {
    Lines::fill(&mut out.drawn, chart.rows.values());
    about_mean(chart, out, false)
}

/// I prime: the ratio of the sums, and limits that shrink with the root of the row's denominator.
pub(super) fn prime(chart: Chart<'_>, out: &mut Lines) -> LinesSummary {
    Lines::fill(&mut out.drawn, chart.rows.ratios());
    about_mean(chart, out, true)
}

fn about_mean(chart: Chart<'_>, out: &mut Lines, is_weighted: bool) -> LinesSummary {
    let size = |row: usize| if is_weighted { chart.rows.size(row) } else { 1.0 };
    let Some(level) = chart.level(&out.drawn, size) else { return LinesSummary::default() };
    let sigma = chart.sigma(&out.drawn, level, is_weighted);
    let width = chart.width(level, &sigma, out);
    for row in 0..out.drawn.len() {
        let size = size(row);
        let reach = width.reach(row, size, NOWHERE.0, NOWHERE.1);
        out.draw(row, level.value, sigma.value / size.sqrt(), reach);
    }
    let mut summary = LinesSummary {
        center: Some(level.value),
        level: Some(level.value),
        sigma: some(sigma.value),
        n_baseline: level.n,
        ..LinesSummary::default()
    };
    sigma.tell(&mut summary);
    summary
}

/// MR: the mean moving range m, and limits m (1 +- sigmas d3 / d2).
///
/// An excluded row is bridged and has its own range to the row before, which is drawn and not used. By qicharts2's custom
/// every range is that to the row before, whatever it is.
pub(super) fn moving_range(chart: Chart<'_>, out: &mut Lines) -> LinesSummary {
    let is_bridged = chart.spec.convention == Convention::Exact;
    let mut before = f64::NAN;
    // The second line says for a while whether the range before is of the baseline too.
    let mut was_baseline = false;
    let (mut sum, mut n) = (0.0, 0_usize);
    for (row, value) in chart.rows.values().enumerate() {
        let range = (value - before).abs();
        if let Some(cell) = out.drawn.get_mut(row) {
            *cell = range;
        }
        let is_excluded = chart.rows.is_excluded(row);
        if !is_excluded && chart.rows.is_baseline(row) && (was_baseline || !is_bridged) && range.is_finite() {
            sum += range;
            n += 1;
        }
        if !(is_bridged && is_excluded) {
            before = value;
            was_baseline = chart.rows.is_baseline(row);
        }
    }
    let exact = range_moments(2).d3 / D2_OF_TWO;
    let scatter = if is_bridged { exact } else { (3.267 - 1.0) / 3.0 };
    let center = match (chart.known.center, chart.known.sigma) {
        (Some(center), _) => center,
        (None, Some(sigma)) => D2_OF_TWO * sigma,
        (None, None) => sum / n as f64,
    };
    if center.is_nan() {
        return LinesSummary::default();
    }
    let per_range = chart.spec.convention.per_range();
    let sigma = chart.known.sigma.unwrap_or(center * per_range);
    let level = Level { value: center, weight: f64::INFINITY, n };
    let width = chart.width(level, &Sigma::known(sigma), out);
    for row in 0..out.drawn.len() {
        out.draw(row, center, scatter * sigma / per_range, width.reach(row, 1.0, 0.0, f64::INFINITY));
    }
    LinesSummary { center: Some(center), sigma: Some(sigma), n_baseline: n, ..LinesSummary::default() }
}
