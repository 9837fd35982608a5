//! Rare events: cases between them (G), time between them (T).

use super::choices::Convention;
use super::estimate::{Chart, some};
use super::rows::{Lines, LinesSummary, Reach, distance};
use crate::stats::summary::median;

/// The power that makes exponential times nearly normal (Nelson 1994, J. Qual. Technol. 26:239).
const POWER: f64 = 3.6;

/// The median of a geometric count in units of its mean, roughly: ln 2 (Provost & Murray 2011, p. 228).
const MEDIAN_OF_MEAN: f64 = 0.693;

/// G: the median is drawn, and limits lie about the mean m at sigmas sqrt(m (m + 1)), not below 0.
///
/// A known centre is drawn as it is given: the mean of the geometric law with that median,
/// m = 1 / (2^(1/c) - 1), gives the limits. By qicharts2's custom it is the mean, and .693 of it is drawn.
pub(super) fn cases_between(chart: Chart<'_>, out: &mut Lines) -> LinesSummary {
    Lines::fill(&mut out.drawn, chart.rows.values());
    let Some(level) = chart.level(&out.drawn, |_| 1.0) else { return LinesSummary::default() };
    let (center, mean) = match (chart.known.center, chart.spec.convention) {
        (Some(mean), Convention::Qicharts2) => (MEDIAN_OF_MEAN * mean, mean),
        (Some(center), _) => (center, 1.0 / ((1.0 / center).exp2() - 1.0)),
        (None, _) => {
            let Lines { drawn, room, .. } = &mut *out;
            room.clear();
            let counting = drawn.iter().enumerate().filter(|(row, _)| chart.rows.counts(*row));
            room.extend(counting.map(|(_, value)| *value));
            (median(room).unwrap_or(f64::NAN), level.value)
        }
    };
    let sd = (mean * (mean + 1.0)).sqrt();
    let sigmas = chart.spec.sigmas;
    let reach = Reach { multiple: sigmas, sigmas, least: 0.0, most: f64::INFINITY };
    for row in 0..out.drawn.len() {
        // Limits lie about the mean, and so does z.
        out.draw(row, mean, sd, reach);
        if let Some(cell) = out.center.get_mut(row) {
            *cell = center;
        }
    }
    LinesSummary { center: Some(center), level: Some(mean), n_baseline: level.n, ..LinesSummary::default() }
}

/// T: an I chart of y^(1/3.6), brought back. A negative time is no value.
///
/// Reference: Nelson (1994), J. Qual. Technol. 26:239.
pub(super) fn time_between(chart: Chart<'_>, out: &mut Lines) -> LinesSummary {
    Lines::fill(&mut out.drawn, chart.rows.values().map(|time| if time >= 0.0 { time } else { f64::NAN }));
    let Lines { drawn, z: scaled, .. } = &mut *out;
    Lines::fill(scaled, drawn.iter().map(|time| time.powf(1.0 / POWER)));
    let raw_center = chart.known.center;
    let transformed = super::Known { center: chart.known.center.map(|c| c.powf(1.0 / POWER)), ..*chart.known };
    let chart = Chart { known: &transformed, ..chart };
    let Some(level) = chart.level(&out.z, |_| 1.0) else {
        out.z.fill(f64::NAN);
        return LinesSummary::default();
    };
    let sigma = chart.sigma(&out.z, level, false);
    let width = chart.width(level, &sigma, out);
    // Below 0 a power has no value; a time has 0 as its least.
    let back = |value: f64| if value < 0.0 { 0.0 } else { value.powf(POWER) };
    // Brought back by way of a power, the one value of a constant series would not be quite itself.
    let constant = chart.level(&out.drawn, |_| 1.0).map(|mean| mean.value).filter(|_| sigma.value == 0.0);
    let center = raw_center.or(constant).unwrap_or_else(|| back(level.value));
    let limit = |half: f64| if half == 0.0 { center } else { back(level.value + half) };
    let Lines { center: centers, lcl, ucl, z, .. } = &mut *out;
    let cells = centers.iter_mut().zip(lcl.iter_mut().zip(ucl.iter_mut())).zip(z.iter_mut());
    for (row, ((line, (low, high)), z)) in cells.enumerate() {
        let reach = width.reach(row, 1.0, 0.0, f64::INFINITY);
        let half = reach.multiple * sigma.value;
        *line = center;
        (*low, *high) = (limit(-half), limit(half));
        *z = distance(*z - level.value, half / reach.sigmas);
    }
    let mut summary = LinesSummary {
        center: Some(center),
        level: Some(level.value),
        sigma: some(sigma.value),
        n_baseline: level.n,
        ..LinesSummary::default()
    };
    sigma.tell(&mut summary);
    summary
}
