//! Charts that remember: the exponentially weighted moving average, and two cumulative sums.

use super::estimate::{Chart, Level, Sigma, some};
use super::rows::{Lines, LinesSummary, Reach};

/// Ewma: a weighted average of the new value and of what it was, from the centre on, with its exact variance at each row.
///
/// ```text
/// z_i = lambda x_i + (1 - lambda) z_(i-1),   var z_i = sigma^2 lambda / (2 - lambda) (1 - (1 - lambda)^(2i))
/// ```
///
/// With autocorrelation phi by recursion, c being the covariance of z and x, both in units of sigma^2:
///
/// ```text
/// c_i = (1 - lambda) phi c_(i-1) + lambda
/// var z_i = (1 - lambda)^2 var z_(i-1) + lambda^2 + 2 lambda (1 - lambda) phi c_(i-1)
/// ```
///
/// A row that is missing or excluded carries z on.
///
/// References: Roberts (1959), Technometrics 1:239; Lucas & Saccucci (1990), Technometrics 32:1; Schmid (1997), in
/// Frontiers in Statistical Quality Control 5:115 (autocorrelation).
pub(super) fn moving_average(chart: Chart<'_>, out: &mut Lines) -> LinesSummary {
    Lines::fill(&mut out.drawn, chart.rows.values());
    let Some((level, mut sigma, summary)) = single_values(chart, &out.drawn) else { return nothing(out) };
    let (new, old) = (chart.spec.weight, 1.0 - chart.spec.weight);
    let phi = sigma.phi.unwrap_or(0.0);
    if sigma.phi.is_some() && sigma.cv2 > 0.0 {
        sigma.widen_law(phi_error(phi, old, level.n as f64));
    }
    let width = chart.width(level, &sigma, out);
    let (mut average, mut variance, mut covariance) = (level.value, 0.0, 0.0);
    // How much of the average is of values at all, and of baseline values.
    let (mut share, mut base_share) = (0.0, 0.0);
    for row in 0..out.drawn.len() {
        let value = out.drawn.get(row).copied().unwrap_or(f64::NAN);
        if value.is_finite() && !chart.rows.is_excluded(row) {
            // As a step from where it is, so that equal values leave it exactly there.
            average += new * (value - average);
            variance = old * old * variance + new * new + 2.0 * new * old * phi * covariance;
            covariance = old * phi * covariance + new;
            share = old * share + new;
            base_share = old * base_share + if chart.rows.is_baseline(row) { new } else { 0.0 };
        } else {
            covariance *= phi;
        }
        if let Some(cell) = out.drawn.get_mut(row) {
            *cell = if value.is_finite() { average } else { f64::NAN };
        }
        // The centre's own error, of which the average holds a part already where it holds baseline values.
        let (multiple, spread) = match width.later(row) {
            None => (chart.spec.sigmas, variance),
            Some(multiple) => {
                (multiple, variance + width.center_variance() * (share * share - 2.0 * share * base_share))
            }
        };
        // Before the first value there is no average that could be limited.
        let sd = if share > 0.0 { sigma.value * spread.sqrt() } else { f64::NAN };
        let (least, most) = (f64::NEG_INFINITY, f64::INFINITY);
        out.draw(row, level.value, sd, Reach { multiple, sigmas: chart.spec.sigmas, least, most });
    }
    summary
}

/// How much the error of an autocorrelation from `n` values moves the deviation of an average that keeps `old` of itself:
/// the coefficient of variation of sqrt((1 + phi old) / (1 - phi old)), with variance (1 - phi^2) / n of phi.
fn phi_error(phi: f64, old: f64, n: f64) -> f64 {
    old / (1.0 - (phi * old).powi(2)) * ((1.0 - phi * phi) / n).sqrt()
}

/// Cusum: what exceeds the target by more than an allowance, summed up and never below 0, and the same downwards.
///
/// ```text
/// C+_i = max(0, C+_(i-1) + (x_i - target) - k sigma),   C-_i = max(0, C-_(i-1) - (x_i - target) - k sigma)
/// ```
///
/// Drawn are C+ and -C-, in the unit of the values, with limits at +- h sigma. A row that is missing or excluded carries
/// the sums on.
///
/// References: Page (1954), Biometrika 41:100; Montgomery (2013), Introduction to Statistical Quality Control, 9.1.
pub(super) fn cumulative_sums(chart: Chart<'_>, out: &mut Lines) -> LinesSummary {
    Lines::fill(&mut out.drawn, chart.rows.values());
    let Some((level, sigma, summary)) = single_values(chart, &out.drawn) else { return nothing(out) };
    let allowance = chart.spec.reference * sigma.value;
    let limit = chart.spec.decision * sigma.value;
    let (mut above, mut below) = (0.0, 0.0);
    let Lines { drawn, lower, center, lcl, ucl, .. } = out;
    let limits = center.iter_mut().zip(lcl.iter_mut().zip(ucl.iter_mut()));
    for (row, ((drawn, lower), (center, (lcl, ucl)))) in drawn.iter_mut().zip(lower.iter_mut()).zip(limits).enumerate()
    {
        (*center, *lcl, *ucl) = (0.0, -limit, limit);
        let off = *drawn - level.value;
        if !off.is_finite() || allowance.is_nan() {
            *drawn = f64::NAN;
            continue;
        }
        if !chart.rows.is_excluded(row) {
            above = (above + off - allowance).max(0.0);
            below = (below - off - allowance).max(0.0);
        }
        (*drawn, *lower) = (above, -below);
    }
    LinesSummary { center: Some(0.0), ..summary }
}

/// Without a level there is nothing to start from, and so nothing to draw.
fn nothing(out: &mut Lines) -> LinesSummary {
    out.drawn.fill(f64::NAN);
    LinesSummary::default()
}

/// Level and sigma of single values, as of an I chart.
fn single_values(chart: Chart<'_>, values: &[f64]) -> Option<(Level, Sigma, LinesSummary)> {
    let level = chart.level(values, |_| 1.0)?;
    let sigma = chart.sigma(values, level, false);
    let mut summary = LinesSummary {
        center: Some(level.value),
        level: Some(level.value),
        sigma: some(sigma.value),
        n_baseline: level.n,
        ..LinesSummary::default()
    };
    sigma.tell(&mut summary);
    Some((level, sigma, summary))
}
