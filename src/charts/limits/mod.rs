//! Centre lines and control limits: one file per family of charts.

mod attributes;
mod choices;
mod estimate;
mod individuals;
mod known;
mod memory;
mod ranges;
mod rare;
mod rows;
mod spec;
mod subgroups;

pub use choices::{Convention, Screening, SigmaEstimator, Spread};
pub use known::Known;
pub use rows::{LimitRows, Lines, LinesSummary};
pub use spec::{CUSUM_DECISION, CUSUM_REFERENCE, EWMA_WEIGHT, LimitSpec, SIGMAS};

use super::kind::ChartKind;
use crate::Result;
use crate::stats::summary::median;
use estimate::Chart;
use rows::distance;

/// The centre line and limits of one phase.
///
/// | kind | drawn | centre | standard deviation of a point |
/// |---|---|---|---|
/// | run | y | median | none: no limits |
/// | i | y | mean | mean moving range / d2 |
/// | mr | moving range | its mean m | m d3 / d2 |
/// | ip | y / n | sum y / sum n | mean of sqrt(pi/2) \|difference\| / sqrt(1/n + 1/n'), over sqrt(n) |
/// | xbar | mean | sum n y / sum n | pooled standard deviation / c4 / sqrt(n) |
/// | r, s | range, standard deviation | d2 sigma, c4 sigma | d3 sigma, sqrt(1 - c4^2) sigma |
/// | p, np | y / n, y | p = sum y / sum n, n p | sqrt(p (1 - p) / n), sqrt(n p (1 - p)) |
/// | u, c | y / n, y | u = sum y / sum n, mean | sqrt(u / n), sqrt(mean) |
/// | pp, up | y / n | as p, u | as p, u, times the mean moving range / d2 of the standardised points |
/// | g | y | median | sqrt(m (m + 1)), about the mean m |
/// | t | y | of the I chart of y^(1/3.6), brought back | the same |
/// | ewma | moving average | mean | sigma sqrt(w / (2 - w) (1 - (1 - w)^(2i))) |
/// | cusum | two sums | 0 | sigma; limits at `decision` of it |
///
/// Limits lie `sigmas` standard deviations from the centre; those of counts, ranges and times are not below 0, those of
/// proportions not above 1. Only rows of the baseline that are not excluded and have a value make centre and limits; later
/// rows never move them. A moving range bridges excluded rows, and no row without a value. In a phase without variation
/// the limits lie on the centre; one value gives a centre, and limits only where they follow from it.
///
/// `widen`: a later row is outside with the nominal probability 2 Phi(-sigmas) although centre and sigma are estimates: its
/// limits lie t(nu) / sqrt(1 + cv^2) sqrt(1 + v) standard deviations away, nu being the degrees of freedom of sigma if it
/// were a scaled chi, cv its coefficient of variation, v the variance of the centre over that of the point. Counts have no
/// estimated sigma, so only the last factor widens theirs. Rows of the baseline keep their limits.
///
/// `adjust`: moving ranges underestimate sigma by sqrt(1 - phi) where neighbours are alike; phi is estimated from the
/// baseline, corrected for its bias, and kept within 0 and .9.
///
/// # Arguments
/// `rows`: one phase, a row a time ([`LimitRows`]). `known`: what replaces an estimate. `out`: where the lines are put; what
/// it held is lost.
///
/// # Missing values
/// A row without a value has its centre and, where they do not need its denominator, its limits; it is not drawn.
///
/// # Errors
/// [`crate::Error::InvalidOption`] if an option is impossible or not one of the kind's, or if columns differ in length;
/// [`crate::Error::InvalidValue`] for a number of measurements that is not whole.
///
/// # Notes
/// None; [`LinesSummary`] says what a caller may note.
///
/// References: Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., chapters 6, 7, 9; Laney (2002),
/// Qual. Eng. 14:531; Nelson (1982), J. Qual. Technol. 14:172; Nelson (1994), J. Qual. Technol. 26:239; Provost & Murray
/// (2011), The Health Care Data Guide.
///
/// ```
/// use brightspot::charts::{ChartKind, Known, LimitRows, LimitSpec, Lines, limit_lines};
///
/// let value = [5.0, 7.0, 6.0, 5.0, 7.0, 6.0, 12.0];
/// let is_baseline = [true, true, true, true, true, true, false];
/// let rows = LimitRows { value: &value, is_baseline: &is_baseline, ..LimitRows::default() };
/// let mut out = Lines::default();
/// let summary = limit_lines(&LimitSpec::new(ChartKind::I), &rows, &Known::default(), &mut out)?;
/// // The mean moving range is 1.4.
/// assert_eq!(summary.center, Some(6.0));
/// assert!((out.ucl[6] - (6.0 + 3.0 * 1.4 * std::f64::consts::PI.sqrt() / 2.0)).abs() < 1e-12);
/// assert!(out.drawn[6] > out.ucl[6] && out.z[6] > 3.0);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn lines(spec: &LimitSpec, rows: &LimitRows<'_>, known: &Known, out: &mut Lines) -> Result<LinesSummary> {
    spec.validate()?;
    known.validate(spec.kind)?;
    rows.validate(spec, known)?;
    out.clear(rows.value.len());
    let chart = Chart { spec, rows, known };
    let summary = match spec.kind {
        ChartKind::Run => medians(chart, out),
        ChartKind::I => individuals::individuals(chart, out),
        ChartKind::Mr => individuals::moving_range(chart, out),
        ChartKind::Ip => individuals::prime(chart, out),
        ChartKind::Xbar => subgroups::means(chart, out),
        ChartKind::R | ChartKind::S => subgroups::spreads(chart, out),
        ChartKind::P | ChartKind::Pp | ChartKind::U | ChartKind::Up | ChartKind::C | ChartKind::Np => {
            attributes::attribute(chart, out)
        }
        ChartKind::G => rare::cases_between(chart, out),
        ChartKind::T => rare::time_between(chart, out),
        ChartKind::Cusum => memory::cumulative_sums(chart, out),
        ChartKind::Ewma => memory::moving_average(chart, out),
    };
    known_limits(spec, known, out);
    Ok(summary)
}

/// Run: the median.
fn medians(chart: Chart<'_>, out: &mut Lines) -> LinesSummary {
    Lines::fill(&mut out.drawn, chart.rows.values());
    let Lines { drawn, room, .. } = &mut *out;
    room.clear();
    let counting = drawn.iter().enumerate().filter(|(row, value)| chart.rows.counts(*row) && value.is_finite());
    room.extend(counting.map(|(_, value)| *value));
    let n_baseline = room.len();
    let center = chart.known.center.or_else(|| median(room));
    out.center.fill(center.unwrap_or(f64::NAN));
    LinesSummary { center, level: center, n_baseline, ..LinesSummary::default() }
}

/// Puts the user's own limits in the place of the computed ones; the distance of a point on their side follows them.
fn known_limits(spec: &LimitSpec, known: &Known, out: &mut Lines) {
    let Lines { drawn, center, lcl, ucl, z, .. } = out;
    let points = drawn.iter().zip(center.iter()).zip(z.iter_mut());
    if let Some(limit) = known.ucl {
        ucl.fill(limit);
    }
    if let Some(limit) = known.lcl {
        lcl.fill(limit);
    }
    for ((drawn, center), z) in points {
        let off = drawn - center;
        if let Some(limit) = known.ucl.filter(|_| off >= 0.0) {
            *z = distance(off, (limit - center) / spec.sigmas);
        }
        if let Some(limit) = known.lcl.filter(|_| off < 0.0) {
            *z = distance(off, (center - limit) / spec.sigmas);
        }
    }
}
