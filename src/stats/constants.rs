//! Constants of control charts: what the standard deviation and the range of a normal sample come to on average, and how
//! much they scatter.

use std::sync::OnceLock;

use super::normal;

/// Mean of the range of two standard normal values, 2 / sqrt(pi): what a mean moving range is divided by.
pub const D2_OF_TWO: f64 = std::f64::consts::FRAC_2_SQRT_PI;

/// Ranges of samples up to this size are computed once and kept.
const KEPT: usize = 256;

/// The mean of the standard deviation (divisor n - 1) of `n` standard normal values.
///
/// ```text
/// c4 = sqrt(2 / (n - 1)) Gamma(n / 2) / Gamma((n - 1) / 2)
/// ```
///
/// To 1e-14. `n` need not be whole, as pooled degrees of freedom plus one are not always; NaN for 1 or less.
///
/// Reference: Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., appendix VI.
///
/// ```
/// use brightspot::stats::constants::c4;
/// assert!((c4(2.0) - (2.0 / std::f64::consts::PI).sqrt()).abs() < 1e-15);
/// assert!(c4(1.0).is_nan());
/// ```
pub fn c4(n: f64) -> f64 {
    /// From here on the series is exact to rounding.
    const FAR: f64 = 25.0;
    /// Gamma(z + 1/2) / (Gamma(z) sqrt(z)) in powers of 1/z (Tricomi & Erdelyi 1951, Pacific J. Math. 1:133).
    const SERIES: [f64; 9] = [
        1.0,
        -1.0 / 8.0,
        1.0 / 128.0,
        5.0 / 1_024.0,
        -21.0 / 32_768.0,
        -399.0 / 262_144.0,
        869.0 / 4_194_304.0,
        39_325.0 / 33_554_432.0,
        -334_477.0 / 2_147_483_648.0,
    ];
    let nu = n - 1.0;
    if nu.is_nan() || nu <= 0.0 {
        return f64::NAN;
    }
    // Gamma(z + 1/2) / Gamma(z) = z / (z + 1/2) times the same at z + 1.
    let (mut z, mut ratio) = (nu / 2.0, 1.0);
    while z < FAR {
        ratio *= z / (z + 0.5);
        z += 1.0;
    }
    let series = SERIES.iter().rev().fold(0.0, |sum, term| sum / z + term);
    ratio * series * (2.0 * z / nu).sqrt()
}

/// The standard deviation of that standard deviation: sqrt(1 - c4^2).
pub fn c5(n: f64) -> f64 {
    (1.0 - c4(n).powi(2)).sqrt()
}

/// Mean and standard deviation of the range of a standard normal sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangeMoments {
    /// The mean.
    pub d2: f64,
    /// The standard deviation.
    pub d3: f64,
}

/// Mean d2 and standard deviation d3 of the range of `n` standard normal values.
///
/// ```text
/// P(R <= r) = n Integral phi(x) (Phi(x + r) - Phi(x))^(n-1) dx,   E R = Integral 1 - P(R <= r) dr,   E R^2 = 2 Integral r (1 - P(R <= r)) dr
/// ```
///
/// To 1e-12 for any `n`; NaN below 2. Some milliseconds when a size is first asked for, afterwards nothing (up to 256).
///
/// References: Tippett (1925), Biometrika 17:364; Hartley (1942), Biometrika 32:309 (the law of the range).
///
/// ```
/// use brightspot::stats::constants::range_moments;
/// let three = range_moments(3);
/// assert!((three.d2 - 3.0 / std::f64::consts::PI.sqrt()).abs() < 1e-12);
/// ```
pub fn range_moments(n: usize) -> RangeMoments {
    static TABLE: [OnceLock<RangeMoments>; KEPT + 1] = [const { OnceLock::new() }; KEPT + 1];
    match n {
        0 | 1 => RangeMoments { d2: f64::NAN, d3: f64::NAN },
        // The one size that every chart of single values asks for.
        2 => RangeMoments { d2: D2_OF_TWO, d3: (2.0 - D2_OF_TWO * D2_OF_TWO).sqrt() },
        _ => TABLE.get(n).map_or_else(|| integrated(n), |kept| *kept.get_or_init(|| integrated(n))),
    }
}

/// Both moments by two exponentially convergent sums: the trapezoidal rule over x, which is on the whole line, and over
/// t with r = ln(1 + exp(t - exp(-t))), which carries the half line to it: doubly exponential towards 0 (after Takahasi &
/// Mori 1974, Publ. RIMS 9:721), even where ranges are.
fn integrated(n: usize) -> RangeMoments {
    /// Beyond this x the density is below 1e-18.
    const X_MAX: f64 = 9.0;
    const T_MIN: f64 = -4.0;
    /// No range of any sample is as long.
    const T_MAX: f64 = 20.0;
    const STEP: f64 = 1.0 / 16.0;
    let grid = |from: f64, to: f64| {
        std::iter::successors(Some(from), move |at| Some(at + STEP)).take_while(move |at| *at <= to)
    };
    let size = n as f64;
    let nodes: Vec<(f64, f64, f64)> =
        grid(-X_MAX, X_MAX).map(|x| (x, size * STEP * normal::density(x), central(x))).collect();
    let (mut first, mut second) = (0.0, 0.0);
    for t in grid(T_MIN, T_MAX) {
        let shrink = (-t).exp();
        let grown = (t - shrink).exp();
        let r = grown.ln_1p();
        let within: f64 =
            nodes.iter().map(|(x, weight, below)| weight * (central(x + r) - below).powf(size - 1.0)).sum();
        let weighted = (1.0 - within) * grown / (1.0 + grown) * (1.0 + shrink) * STEP;
        first += weighted;
        second += 2.0 * r * weighted;
    }
    RangeMoments { d2: first, d3: (second - first * first).sqrt() }
}

/// Phi(x) - 1/2 with an absolute error of 1e-16: what a difference of two needs, and more than the error function gives.
fn central(x: f64) -> f64 {
    if x.abs() > 8.5 {
        return 0.5_f64.copysign(x);
    }
    // phi(x) (x + x^3/3 + x^5/(3 5) + ...): all terms of one sign.
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    while term.abs() > 1e-18 * sum.abs() {
        odd += 2.0;
        term *= x * x / odd;
        sum += term;
    }
    normal::density(x) * sum
}

/// The degrees of freedom of an unbiased estimate of sigma, as if it were a scaled chi: the nu at which such an estimate
/// has the squared coefficient of variation `cv2`, 1 / c4(nu + 1)^2 - 1 = cv2.
///
/// Infinite for an estimate that does not vary; NaN for NaN.
///
/// Reference: Patnaik (1950), Biometrika 37:78 (the mean range as a scaled chi).
///
/// ```
/// use brightspot::stats::constants::{c4, equivalent_df};
/// // The standard deviation of seven values is a chi with six degrees of freedom.
/// assert!((equivalent_df(c4(7.0).powi(-2) - 1.0) - 6.0).abs() < 1e-9);
/// ```
pub fn equivalent_df(cv2: f64) -> f64 {
    /// No estimate of sigma has less.
    const LEAST: f64 = 1e-3;
    if cv2.is_nan() {
        return cv2;
    }
    if cv2 <= 0.0 {
        return f64::INFINITY;
    }
    // 1 / cv2 is almost a straight line in nu, with slope 2.
    let mut nu = 0.5 / cv2;
    for _ in 0..100 {
        let step = 0.5 * (1.0 / cv2 - 1.0 / (c4(nu + 1.0).powi(-2) - 1.0));
        nu = (nu + step).max(LEAST);
        if step.abs() <= 1e-12 * nu {
            break;
        }
    }
    nu
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn closed_forms() {
        // c4(2) and c4(3); d2 for up to five values (Ruben 1954, Biometrika 41:200, by the angle asin(1/3)).
        assert!((c4(2.0) - (2.0 / PI).sqrt()).abs() < 1e-15);
        assert!((c4(3.0) - PI.sqrt() / 2.0).abs() < 1e-15);
        let angle = (1.0_f64 / 3.0).asin() / PI;
        for (n, d2) in [
            (2, 2.0 / PI.sqrt()),
            (3, 3.0 / PI.sqrt()),
            (4, 6.0 / PI.sqrt() * (0.5 + angle)),
            (5, 10.0 / PI.sqrt() * (0.25 + 1.5 * angle)),
        ] {
            assert!((range_moments(n).d2 - d2).abs() < 1e-12, "{n}");
        }
        let d3 = range_moments(3).d3;
        assert!((d3 - (2.0 + 3.0 * 3.0_f64.sqrt() / PI - 9.0 / PI).sqrt()).abs() < 1e-12);
        // The quadrature also gives the size it is not used for.
        let two = integrated(2);
        assert!((two.d2 - D2_OF_TWO).abs() < 1e-13 && (two.d3 - range_moments(2).d3).abs() < 1e-12);
    }

    /// The mean of the range has a single integral of its own, Integral 1 - Phi^n - (1 - Phi)^n dx.
    #[test]
    fn means_by_another_integral() {
        for n in [6, 10, 25, 100, 1_000, 100_000] {
            let single: f64 = (-160..=160)
                .map(|step| {
                    let below = 0.5 + central(f64::from(step) / 16.0);
                    1.0 - below.powf(f64::from(n)) - (1.0 - below).powf(f64::from(n))
                })
                .sum();
            let found = range_moments(usize::try_from(n).unwrap());
            assert!((found.d2 - single / 16.0).abs() < 1e-11, "{n}: {} {}", found.d2, single / 16.0);
            assert!(found.d3 > 0.0);
        }
    }

    #[test]
    fn degrees_of_freedom_come_back() {
        for nu in [1.0, 2.0, 5.5, 20.0, 300.0, 1e6] {
            let cv2 = c4(nu + 1.0).powi(-2) - 1.0;
            assert!((equivalent_df(cv2) / nu - 1.0).abs() < 1e-6, "{nu}: {}", equivalent_df(cv2));
        }
        assert!(equivalent_df(0.0).is_infinite() && equivalent_df(f64::NAN).is_nan());
        assert!(c4(1.0).is_nan() && c4(f64::NAN).is_nan() && (c4(1e9) - 1.0).abs() < 1e-9);
        assert!(range_moments(1).d2.is_nan());
    }
}
