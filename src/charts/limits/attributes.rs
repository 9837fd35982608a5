//! Counts: proportions (P, NP, P prime), rates (U, C, U prime).

use super::estimate::{Chart, Level, Sigma};
use super::rows::{Lines, LinesSummary, distance};
use crate::charts::ChartKind;

/// A scatter that a stable process reaches less often than this, one-sided, is called out.
pub(super) const DISPERSION_ALPHA: f64 = 0.05;

/// With fewer expected events (or non-events) than this a row, neighbours are equal so often that a scatter passes for too
/// small.
const MIN_EXPECTED: f64 = 5.0;

/// The law of a point.
#[derive(Debug, Clone, Copy)]
struct Law {
    is_proportion: bool,
    /// Whether the count itself is drawn, not its ratio.
    is_count: bool,
}

impl Law {
    fn of(kind: ChartKind) -> Self {
        Self { is_proportion: kind.is_proportion(), is_count: matches!(kind, ChartKind::C | ChartKind::Np) }
    }

    fn center(self, level: f64, size: f64) -> f64 {
        if self.is_count { level * size } else { level }
    }

    fn sd(self, level: f64, size: f64) -> f64 {
        let variance = if self.is_proportion { level * (1.0 - level) } else { level };
        if self.is_count { (size * variance).sqrt() } else { (variance / size).sqrt() }
    }

    fn most(self, size: f64) -> f64 {
        match (self.is_proportion, self.is_count) {
            (true, true) => size,
            (true, false) => 1.0,
            _ => f64::INFINITY,
        }
    }
}

/// P, NP, P prime, U, C, U prime: the ratio of the sums, and limits that follow the row's denominator.
pub(super) fn attribute(chart: Chart<'_>, out: &mut Lines) -> LinesSummary {
    let kind = chart.spec.kind;
    let law = Law::of(kind);
    let size = |row: usize| if kind == ChartKind::C { 1.0 } else { chart.rows.size(row) };
    let is_prime = matches!(kind, ChartKind::Pp | ChartKind::Up);
    if law.is_count {
        // A count out of a missing number is no value either.
        let counts = chart.rows.values().enumerate();
        Lines::fill(&mut out.drawn, counts.map(|(row, count)| if size(row) > 0.0 { count } else { f64::NAN }));
    } else {
        Lines::fill(&mut out.drawn, chart.rows.ratios());
    }
    let Some((level, is_sparse)) = sum_over_sum(chart, &out.drawn, size) else { return LinesSummary::default() };
    // The level at a row: of a known NP centre, which is a count, the proportion it stands for there.
    let at = |size: f64| match chart.known.center {
        Some(center) if kind == ChartKind::Np => center / size,
        _ => level.value,
    };
    let n_rows = out.drawn.len();
    for row in 0..n_rows {
        let size = size(row);
        let drawn = out.drawn.get(row).copied().unwrap_or(f64::NAN);
        if let Some(cell) = out.z.get_mut(row) {
            // A level of 0 or 1 leaves no scatter to compare with.
            let z = distance(drawn - law.center(at(size), size), law.sd(at(size), size));
            *cell = if z.is_finite() { z } else { f64::NAN };
        }
    }
    let about = Level { value: 0.0, ..level };
    let dispersion = chart.sigma(&out.z, about, false);
    let scale = if is_prime { dispersion.value } else { 1.0 };
    let width = chart.width(level, &if is_prime { dispersion } else { Sigma::known(1.0) }, out);
    let mut first = None;
    let mut is_level = true;
    for row in 0..n_rows {
        let size = size(row);
        let sd = law.sd(at(size), size);
        let center = law.center(at(size), size);
        // A rate has its centre also where a denominator is missing.
        let sd = if sd == 0.0 { 0.0 } else { sd * scale };
        out.draw(row, center, sd, width.reach(row, size, 0.0, law.most(size)));
        is_level &= center.is_nan() || center.total_cmp(first.get_or_insert(center)).is_eq();
    }
    let mut summary = LinesSummary {
        center: first.filter(|_| is_level),
        level: (kind != ChartKind::Np || chart.known.center.is_none()).then_some(level.value),
        n_baseline: level.n,
        ..LinesSummary::default()
    };
    judge_dispersion(&dispersion, is_sparse, out, &mut summary);
    if is_prime {
        dispersion.tell(&mut summary);
    }
    summary
}

/// The level of counts, the sum of numerators over that of denominators; and whether a row has few events, or few of what is
/// no event.
fn sum_over_sum(chart: Chart<'_>, drawn: &[f64], size: impl Fn(usize) -> f64) -> Option<(Level, bool)> {
    let (mut sum, mut total, mut n) = (0.0, 0.0, 0_usize);
    for (row, (drawn, value)) in drawn.iter().zip(chart.rows.values()).enumerate() {
        if drawn.is_finite() && chart.rows.counts(row) {
            sum += value;
            total += size(row);
            n += 1;
        }
    }
    let rarer = if chart.spec.kind.is_proportion() { sum.min(total - sum) } else { sum };
    let level = match chart.known.center {
        Some(level) => Level { value: level, weight: f64::INFINITY, n },
        None if n == 0 => return None,
        None => Level { value: sum / total, weight: total, n },
    };
    Some((level, rarer < MIN_EXPECTED * n as f64))
}

/// Sets the dispersion and its flags: a stable process has a `dispersion` that is a scaled chi about 1.
fn judge_dispersion(dispersion: &Sigma, is_sparse: bool, out: &mut Lines, summary: &mut LinesSummary) {
    let Some(df) = dispersion.df() else { return };
    summary.dispersion = Some(dispersion.value);
    summary.df = Some(df);
    let (is_large, is_small) = dispersion.is_off(DISPERSION_ALPHA, &mut out.laws);
    summary.is_overdispersed = is_large;
    summary.is_underdispersed = is_small && !is_sparse;
}
