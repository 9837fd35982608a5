//! Subgroups: their means (Xbar), ranges (R) and standard deviations (S), with sigma from the scatter within them.

use statrs::distribution::{ContinuousCDF, FisherSnedecor};

use super::attributes::DISPERSION_ALPHA;
use super::choices::{Convention, SigmaEstimator};
use super::estimate::{Chart, Level, Sigma, some};
use super::rows::{Lines, LinesSummary, distance};
use crate::charts::ChartKind;
use crate::stats::constants::{RangeMoments, c4, c5, range_moments};

/// Sigma within subgroups.
#[derive(Debug, Clone, Copy)]
struct Within {
    sigma: Sigma,
    /// Whether c4 of the row's own size is still to be divided by (Montgomery's rule, as in qicharts2).
    is_raw: bool,
    /// Subgroups of the baseline with a spread.
    n: usize,
}

impl Within {
    fn at(&self, size: f64) -> f64 {
        if self.is_raw { self.sigma.value / c4(size) } else { self.sigma.value }
    }
}

/// Mean and deviation of a range of `size` values; the last ones are kept, as sizes seldom change.
fn range_constants(size: f64, last: &mut Option<(f64, RangeMoments)>) -> RangeMoments {
    match last {
        Some((of, moments)) if of.total_cmp(&size).is_eq() => *moments,
        _ => {
            // A whole number, as checked; of a missing one the constants are missing.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let moments = range_moments(if size >= 1.0 { size as usize } else { 0 });
            last.insert((size, moments)).1
        }
    }
}

/// Sigma within the subgroups of the baseline, by the chosen estimator.
fn within(chart: Chart<'_>) -> Within {
    if let Some(sigma) = chart.known.sigma {
        return Within { sigma: Sigma::known(sigma), is_raw: false, n: 0 };
    }
    let rows = chart.rows;
    let groups = || {
        (0..rows.value.len())
            .filter(|row| rows.counts(*row))
            .map(|row| (rows.size(row), rows.spread(row)))
            .filter(|(size, spread)| *size > 1.0 && spread.is_finite())
    };
    let n = groups().count();
    if n == 0 {
        return Within { sigma: Sigma::missing(None), is_raw: false, n };
    }
    let pooled = || {
        let (squares, df) = groups().fold((0.0, 0.0), |(squares, df), (size, spread)| {
            (squares + (size - 1.0) * spread * spread, df + size - 1.0)
        });
        ((squares / df).sqrt(), df)
    };
    let mut last = None;
    // (estimate, its squared coefficient of variation) of one subgroup.
    let mut single = |size: f64, spread: f64, is_range: bool| {
        if is_range {
            let RangeMoments { d2, d3 } = range_constants(size, &mut last);
            (spread / d2, (d3 / d2).powi(2))
        } else {
            (spread / c4(size), c4(size).powi(-2) - 1.0)
        }
    };
    let mut mean = |is_range: bool, is_weighted: bool| {
        let (mut sum, mut total, mut error) = (0.0, 0.0, 0.0);
        for (size, spread) in groups() {
            let (sigma, cv2) = single(size, spread, is_range);
            let weight = if is_weighted { 1.0 / cv2 } else { 1.0 };
            sum += weight * sigma;
            total += weight;
            error += weight * weight * cv2;
        }
        (sum / total, error / (total * total))
    };
    let is_raw = chart.spec.convention == Convention::Qicharts2;
    let (sigma, cv2) = match chart.spec.estimator() {
        _ if is_raw => {
            let (root, df) = pooled();
            let mean = groups().map(|(_, spread)| spread).sum::<f64>() / n as f64;
            (if has_equal_sizes(chart) { mean } else { root }, c4(df + 1.0).powi(-2) - 1.0)
        }
        Some(SigmaEstimator::MeanRange) => mean(true, false),
        Some(SigmaEstimator::WeightedRange) => mean(true, true),
        Some(SigmaEstimator::MeanSd) => mean(false, false),
        Some(SigmaEstimator::WeightedSd) => mean(false, true),
        _ => {
            let (root, df) = pooled();
            (root / c4(df + 1.0), c4(df + 1.0).powi(-2) - 1.0)
        }
    };
    let dims = groups().map(|(size, _)| size - 1.0).sum();
    Within { sigma: Sigma { value: sigma, cv2, dims, n_screened: 0, phi: None }, is_raw, n }
}

/// Whether all subgroups of the baseline are of one size, those without a spread among them.
fn has_equal_sizes(chart: Chart<'_>) -> bool {
    let mut sizes =
        chart.rows.size.iter().enumerate().filter(|(row, _)| chart.rows.counts(*row)).map(|(_, size)| *size);
    let first = sizes.next();
    sizes.all(|size| first.is_some_and(|first| first.total_cmp(&size).is_eq()))
}

/// Xbar: the mean weighted by size, and limits that shrink with the root of the row's size.
pub(super) fn means(chart: Chart<'_>, out: &mut Lines) -> LinesSummary {
    let size = |row: usize| chart.rows.size(row);
    // A mean of an unknown number of measurements is none.
    let means = chart.rows.values().enumerate().map(|(row, mean)| if size(row) >= 1.0 { mean } else { f64::NAN });
    Lines::fill(&mut out.drawn, means);
    let Some(level) = chart.level(&out.drawn, size) else { return LinesSummary::default() };
    let within = within(chart);
    let mut summary = LinesSummary {
        center: Some(level.value),
        level: Some(level.value),
        sigma: some(within.sigma.value),
        n_baseline: level.n,
        df: within.sigma.df(),
        ..LinesSummary::default()
    };
    judge_between(chart, level, &within, out, &mut summary);
    let width = chart.width(level, &within.sigma, out);
    for row in 0..out.drawn.len() {
        let size = size(row);
        let reach = width.reach(row, size, f64::NEG_INFINITY, f64::INFINITY);
        out.draw(row, level.value, within.at(size) / size.sqrt(), reach);
    }
    summary
}

/// Whether means vary more, or less, than the scatter within their subgroups allows them: two estimates of one sigma,
/// whose squares have a ratio that follows F.
fn judge_between(chart: Chart<'_>, level: Level, within: &Within, out: &mut Lines, summary: &mut LinesSummary) {
    let Lines { drawn, z, .. } = out;
    for (row, (z, drawn)) in z.iter_mut().zip(drawn.iter()).enumerate() {
        let size = chart.rows.size(row);
        let distance = distance(drawn - level.value, within.at(size) / size.sqrt());
        *z = if distance.is_finite() { distance } else { f64::NAN };
    }
    let estimate = super::LimitSpec::new(ChartKind::I);
    let by_ranges = Chart { spec: &estimate, known: &super::Known::default(), ..chart };
    let between = by_ranges.sigma(z, Level { value: 0.0, ..level }, false);
    let Some(df_between) = between.df() else { return };
    summary.dispersion = Some(between.value);
    let (above, below) = match within.sigma.df() {
        // Of a known sigma there is only one estimate.
        None => (between.law().prob_above(between.value), between.law().prob_below(between.value)),
        Some(df_within) => {
            let Ok(law) = FisherSnedecor::new(df_between, df_within) else { return };
            let ratio = between.value.powi(2) * (1.0 + within.sigma.cv2) / (1.0 + between.cv2);
            (law.sf(ratio), law.cdf(ratio))
        }
    };
    summary.is_overdispersed = above <= DISPERSION_ALPHA;
    summary.is_underdispersed = below <= DISPERSION_ALPHA;
}

/// S and R: what a spread of the row's size is on average, and limits at so many of its own deviations, not below 0.
///
/// A known centre is the line at every row, and sigma what gives a spread of the row's size that mean.
pub(super) fn spreads(chart: Chart<'_>, out: &mut Lines) -> LinesSummary {
    let is_range = chart.spec.kind == ChartKind::R;
    let is_exact = chart.spec.convention == Convention::Exact;
    let drawn =
        (0..out.drawn.len()).map(|row| if chart.rows.size(row) > 1.0 { chart.rows.spread(row) } else { f64::NAN });
    Lines::fill(&mut out.drawn, drawn);
    let within = within(chart);
    let is_known = chart.known.center.is_some() || chart.known.sigma.is_some();
    if !(is_known || within.n > 0) {
        return LinesSummary::default();
    }
    let width = chart.width(Level { value: 0.0, weight: f64::INFINITY, n: within.n }, &within.sigma, out);
    let (mut last, mut first, mut is_level) = (None, None, true);
    for row in 0..out.drawn.len() {
        let size = chart.rows.size(row);
        let (mean, sd) = if is_range {
            let moments = range_constants(size, &mut last);
            (moments.d2, moments.d3)
        } else {
            (c4(size), c5(size))
        };
        let sigma = match (chart.known.center, chart.known.sigma) {
            (Some(center), None) => center / mean,
            _ => within.at(size),
        };
        let center = match chart.known.center {
            Some(center) => center,
            // The line of qicharts2 is the pooled deviation itself, also where a subgroup of one has none.
            None if !is_exact => within.sigma.value,
            None => mean * sigma,
        };
        out.draw(row, center, sd * sigma, width.reach(row, size, 0.0, f64::INFINITY));
        is_level &= center.is_nan() || center.total_cmp(first.get_or_insert(center)).is_eq();
    }
    LinesSummary {
        center: first.filter(|_| is_level),
        sigma: some(within.sigma.value).filter(|_| chart.known.center.is_none() || chart.known.sigma.is_some()),
        n_baseline: within.n,
        df: within.sigma.df(),
        ..LinesSummary::default()
    }
}
