//! The step between two phases of a series: the engine behind every verdict on numeric data before and after a change.

use serde::{Deserialize, Serialize};

use super::student;
use crate::{Error, Result};

/// The autocorrelation that is always allowed for: a series in a school is rarely less alike from week to week, and
/// too few points are there to tell.
pub const PHI_MIN: f64 = 0.30;

/// The autocorrelation beyond which the estimate is not followed.
pub const PHI_MAX: f64 = 0.90;

/// Fewest points in each phase.
pub const N_MIN: usize = 3;

/// One-sided error in each direction; the interval is its dual.
pub const ALPHA: f64 = 0.05;

/// How often the interval covers the truth: the dual of two one-sided tests at [`ALPHA`].
pub const LEVEL: f64 = 1.0 - 2.0 * ALPHA;

/// Autocorrelation from which the stated error is no longer kept.
pub const STRONG_PHI: f64 = 0.5;

/// Fewer points before than this are too few to ask whether they are stable, and are noted.
pub const STABLE_FROM: usize = 8;

/// Denominators that differ by more than this factor are noted where every point counts the same.
pub const UNEQUAL_SIZES: f64 = 3.0;

/// The estimated step between two phases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepEstimate {
    /// Mean after minus mean before.
    pub estimate: f64,
    /// Standard error of the step, under autocorrelation `phi`.
    pub se: f64,
    /// Effective degrees of freedom.
    pub df: f64,
    /// Lower end of the 90% interval (the dual of a one-sided test at 5%).
    pub lo: f64,
    /// Upper end of the 90% interval.
    pub hi: f64,
    /// The first-order autocorrelation that was allowed for: corrected for bias, kept within [`PHI_MIN`] and [`PHI_MAX`].
    pub phi: f64,
    /// The first-order autocorrelation of the residuals, as it was found.
    pub phi_raw: f64,
    /// Points before.
    pub n_before: usize,
    /// Points after.
    pub n_after: usize,
    /// One-sided p for a step upwards: small when the points after are higher.
    pub p_above: f64,
    /// One-sided p for a step downwards: small when the points after are lower.
    pub p_below: f64,
}

impl StepEstimate {
    /// One-sided p of the hypothesis that the step is `at_most` or less, against more.
    pub fn p_more_than(&self, at_most: f64) -> f64 {
        student::above((self.estimate - at_most) / self.se, self.df)
    }
}

/// The difference of the means of two phases of one series, with a standard error that allows for autocorrelation.
///
/// With N = b + n points, residuals r from the mean of their own phase, and SS = sum r^2 (the phases joined in the order
/// of time; Q centres within phases):
///
/// ```text
/// phi^  = sum r_i r_(i+1) / SS
/// phi*  = clip((N phi^ + 2) / (N - 4), .30, .90), or .30 where N <= 4
/// Omega_ij = phi*^|i-j|,  c = (-1/b, ..., 1/n, ...),  v = c' Omega c
/// e = tr(Q Omega),  nu = e^2 / tr(Q Omega Q Omega)
/// SE = sqrt(SS v / e), compared with Student's t on nu degrees of freedom
/// ```
///
/// # Arguments
/// `before`, `after`: the values of the two phases, each in the order of time, in the measure's unit.
///
/// # Missing values
/// None are allowed: leave missing points out.
///
/// # Errors
/// [`Error::TooFew`] with fewer than 3 points in a phase; [`Error::InvalidValue`] for values that are not finite, or
/// that do not vary within either phase (no error can be estimated from them).
///
/// # Reference
/// Marriott & Pope (1954), Biometrika 41:390 (the bias of phi^); Box (1954), Annals of Mathematical Statistics 25:290
/// (effective degrees of freedom); Zwiers & von Storch (1995), Journal of Climate 8:336.
///
/// ```
/// use brightspot::stats::step::step;
///
/// let found = step(&[61.0, 64.0, 62.0, 63.0, 60.0, 62.0, 63.0, 61.0], &[66.0, 68.0, 65.0, 67.0, 69.0, 67.0])?;
/// assert_eq!(found.estimate, 5.0);
/// assert!(found.lo > 0.0 && found.p_above < 0.05);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn step(before: &[f64], after: &[f64]) -> Result<StepEstimate> {
    require_values("the step", before, after)?;
    let (b, n) = (before.len() as f64, after.len() as f64);
    let mean_before = before.iter().sum::<f64>() / b;
    let mean_after = after.iter().sum::<f64>() / n;
    let residuals: Vec<f64> =
        before.iter().map(|y| y - mean_before).chain(after.iter().map(|y| y - mean_after)).collect();
    let ss: f64 = residuals.iter().map(|r| r * r).sum();
    let (phi_raw, phi) = autocorrelation(&residuals);
    let law = PhaseLaw::new(before.len(), after.len(), phi);
    let estimate = mean_after - mean_before;
    let se = (ss * law.v / law.e).sqrt();
    let df = law.df();
    if !(se > 0.0 && df > 0.0 && se.is_finite()) {
        return Err(Error::Numerical { what: "the standard error of a step".into(), problem: format!("se = {se}") });
    }
    let t = estimate / se;
    let half_width = upper_quantile(df)? * se;
    Ok(StepEstimate {
        estimate,
        se,
        df,
        lo: estimate - half_width,
        hi: estimate + half_width,
        phi,
        phi_raw,
        n_before: before.len(),
        n_after: after.len(),
        p_above: student::above(t, df),
        p_below: student::above(-t, df),
    })
}

/// Refuses what no comparison of two phases can be made of: too few points, values that are not finite, and values that
/// do not vary within either phase.
pub(crate) fn require_values(what: &str, before: &[f64], after: &[f64]) -> Result<()> {
    require_points(what, before.len(), after.len())?;
    for (name, phase) in [("before", before), ("after", after)] {
        if let Some(value) = phase.iter().find(|value| !value.is_finite()) {
            return Err(Error::InvalidValue {
                what: format!("the values {name} the change"),
                found: format!("{value} among them"),
                remedy: "leave missing points out".into(),
            });
        }
    }
    if is_constant(before) && is_constant(after) {
        return Err(Error::InvalidValue {
            what: "the values before and after the change".into(),
            found: "no variation within either".into(),
            remedy: "measure on a finer scale: no error of the difference can be estimated".into(),
        });
    }
    Ok(())
}

/// Refuses fewer than [`N_MIN`] points in a phase.
pub(crate) fn require_points(what: &str, n_before: usize, n_after: usize) -> Result<()> {
    for (name, found) in [("before", n_before), ("after", n_after)] {
        if found < N_MIN {
            return Err(Error::TooFew {
                what: format!("{what} (points {name} the change)"),
                needed: format!("{N_MIN} points"),
                found,
                remedy: "collect more points, or widen the window".into(),
            });
        }
    }
    Ok(())
}

/// Whether all values are the same: asked of the values, since rounding leaves residuals that are not quite zero.
pub fn is_constant(values: &[f64]) -> bool {
    // Equality of copies of one number, not of computed ones.
    #[allow(clippy::float_cmp)]
    values.iter().zip(values.iter().skip(1)).all(|(a, b)| a == b)
}

/// The first-order autocorrelation of `n` residuals without most of its bias.
///
/// ```text
/// phi^ = sum r_i r_(i+1) / sum r_i^2,   phi_c = (n phi^ + means) / (n - 4)
/// ```
///
/// * `phi_raw`: phi^, of residuals from `n_means` means (of one series with a known mean: 0).
///
/// None for 4 residuals or fewer. Not kept within any bounds.
///
/// Reference: Marriott & Pope (1954), Biometrika 41:390.
///
/// ```
/// use brightspot::stats::step::unbiased_phi;
/// assert!((unbiased_phi(0.2, 24.0, 1.0).unwrap() - 0.29).abs() < 1e-15);
/// ```
pub fn unbiased_phi(phi_raw: f64, n: f64, n_means: f64) -> Option<f64> {
    (n > 4.0).then(|| (n * phi_raw + n_means) / (n - 4.0))
}

/// The first-order autocorrelation of residuals (each from its own phase, the phases joined in the order of time), as it
/// was found and as it is allowed for. Residuals that are all zero tell nothing: (0, [`PHI_MIN`]).
pub(crate) fn autocorrelation(residuals: &[f64]) -> (f64, f64) {
    let ss: f64 = residuals.iter().map(|r| r * r).sum();
    let lagged: f64 = residuals.iter().zip(residuals.iter().skip(1)).map(|(r, next)| r * next).sum();
    if ss > 0.0 { (lagged / ss, allowed_for(lagged / ss, residuals.len() as f64)) } else { (0.0, PHI_MIN) }
}

fn allowed_for(phi_raw: f64, n: f64) -> f64 {
    unbiased_phi(phi_raw, n, 2.0).map_or(PHI_MIN, |phi| phi.clamp(PHI_MIN, PHI_MAX))
}

/// The [`ALPHA`] point of the upper tail of Student's t.
pub(crate) fn upper_quantile(df: f64) -> Result<f64> {
    let found = student::quantile(1.0 - ALPHA, df);
    if found.is_finite() {
        return Ok(found);
    }
    Err(Error::Numerical { what: "Student's t".into(), problem: format!("on {df} degrees of freedom") })
}

/// What a comparison of two phases needs of Omega, in time linear in the number of points: Omega x is two recursions,
/// one from each end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PhaseLaw {
    /// c' Omega c: the variance of the difference of two means, in units of the variance of a point.
    pub(crate) v: f64,
    /// tr(Q Omega).
    pub(crate) e: f64,
    /// tr(Q Omega Q Omega).
    trace_square: f64,
    /// The same variance if points were independent: 1/b + 1/n.
    independent: f64,
    /// Degrees of freedom if points were independent: N - 2.
    n_free: f64,
}

impl PhaseLaw {
    /// Effective degrees of freedom (Box 1954).
    pub(crate) fn df(&self) -> f64 {
        self.e * self.e / self.trace_square
    }

    /// How many times larger autocorrelation makes the variance of the difference of two means, where the variance of a
    /// point is known.
    pub(crate) fn inflation(&self) -> f64 {
        self.v / self.independent
    }

    /// The same where the variance of a point is estimated from residuals, which autocorrelation makes too small: k2.
    pub(crate) fn inflation_of_estimate(&self) -> f64 {
        self.inflation() * self.n_free / self.e
    }

    pub(crate) fn new(b: usize, n: usize, phi: f64) -> Self {
        let total = b + n;
        let indicator = |first: bool| -> Vec<f64> {
            (0..total).map(|i| if (i < b) == first { 1.0 } else { 0.0 }).collect::<Vec<f64>>()
        };
        let (one_b, one_n) = (indicator(true), indicator(false));
        let (omega_b, omega_n) = (times_omega(&one_b, phi), times_omega(&one_n, phi));
        let (s_bb, s_bn, s_nn) = (dot(&one_b, &omega_b), dot(&one_b, &omega_n), dot(&one_n, &omega_n));
        let (b, n, total) = (b as f64, n as f64, total as f64);
        let square = phi * phi;
        let mut power = 1.0;
        let mut trace_omega_square = total;
        let mut lag = 1.0;
        while lag < total {
            power *= square;
            trace_omega_square += 2.0 * (total - lag) * power;
            lag += 1.0;
        }
        // Q = I - P with P = sum over phases of 1 1'/n_phase: tr(QOQO) = tr(OO) - 2 tr(POO) + tr(POPO).
        let trace_p_square = dot(&omega_b, &omega_b) / b + dot(&omega_n, &omega_n) / n;
        let trace_pp = (s_bb / b).powi(2) + (s_nn / n).powi(2) + 2.0 * s_bn * s_bn / (b * n);
        Self {
            v: s_bb / (b * b) + s_nn / (n * n) - 2.0 * s_bn / (b * n),
            e: total - s_bb / b - s_nn / n,
            trace_square: trace_omega_square - 2.0 * trace_p_square + trace_pp,
            independent: 1.0 / b + 1.0 / n,
            n_free: total - 2.0,
        }
    }
}

/// v and e of a single phase of `n` points: the variance of its mean in units of the variance of a point, and
/// tr(Q Omega), by which the sum of squares about the mean is divided.
pub(crate) fn one_phase(n: usize, phi: f64) -> (f64, f64) {
    let ones = vec![1.0; n];
    let sum = dot(&ones, &times_omega(&ones, phi));
    let n = n as f64;
    (sum / (n * n), n - sum / n)
}

fn times_omega(x: &[f64], phi: f64) -> Vec<f64> {
    let mut carried = 0.0;
    let mut out: Vec<f64> = x
        .iter()
        .map(|value| {
            carried = value + phi * carried;
            carried
        })
        .collect();
    carried = 0.0;
    for (sum, value) in out.iter_mut().zip(x).rev() {
        *sum += phi * carried;
        carried = value + phi * carried;
    }
    out
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
