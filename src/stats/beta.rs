//! The beta distribution, with the laws at the ends of its parameters.

use statrs::function::beta::{beta_reg, ln_beta};

/// P(B <= x) for B ~ Beta(`a`, `b`), the regularised incomplete beta function, to some 13 digits. A parameter of 0 puts
/// all the mass at one end: `a` = 0 at 0, `b` = 0 at 1. NaN for parameters below 0, both 0, or anything not finite.
pub(crate) fn cdf(a: f64, b: f64, x: f64) -> f64 {
    if !(a >= 0.0 && b >= 0.0 && (a + b).is_finite() && a + b > 0.0) || x.is_nan() {
        f64::NAN
    } else if x < 0.0 {
        0.0
    } else if x >= 1.0 || a == 0.0 {
        1.0
    } else if b == 0.0 || x == 0.0 {
        0.0
    } else {
        beta_reg(a, b, x)
    }
}

/// The x with P(B <= x) = `p` for B ~ Beta(`a`, `b`); 0 where `a` is 0, 1 where `b` is 0.
///
/// Computed from the side where the quantile is at most 1/2, so that it is as exact as [`cdf`] however small it is.
pub(crate) fn quantile(p: f64, a: f64, b: f64) -> f64 {
    if !cdf(a, b, 0.5).is_finite() || !(0.0..=1.0).contains(&p) {
        f64::NAN
    } else if a == 0.0 {
        0.0
    } else if b == 0.0 {
        1.0
    } else if cdf(a, b, 0.5) >= p {
        small_quantile(p, a, b)
    } else {
        1.0 - small_quantile(1.0 - p, b, a)
    }
}

/// A quantile of at most 1/2: the two powers of 2 it lies between, then Newton's steps, or halves where a step would leave
/// the interval.
fn small_quantile(p: f64, a: f64, b: f64) -> f64 {
    let mut high = 0.5_f64;
    while high > f64::MIN_POSITIVE && cdf(a, b, high / 2.0) >= p {
        high /= 2.0;
    }
    if high <= f64::MIN_POSITIVE {
        return 0.0;
    }
    let mut low = high / 2.0;
    let ln_beta = ln_beta(a, b);
    let mut x = f64::midpoint(low, high);
    // Halves alone would take 52.
    for _ in 0..60 {
        let excess = cdf(a, b, x) - p;
        if excess >= 0.0 {
            high = x;
        } else {
            low = x;
        }
        let density = ((a - 1.0) * x.ln() + (b - 1.0) * (-x).ln_1p() - ln_beta).exp();
        let newton = x - excess / density;
        let next = if low <= newton && newton <= high { newton } else { f64::midpoint(low, high) };
        let is_found = (next - x).abs() <= f64::EPSILON * x;
        x = next;
        if is_found {
            break;
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_scipy() {
        // scipy.stats.beta.ppf 1.17.
        for (p, a, b, expected) in [
            (0.05, 11.0, 24.0, 0.193_194_758_452_681),
            (0.95, 12.0, 23.0, 0.478_190_394_215_414),
            (0.05, 0.4, 3.7, 0.000_121_585_765_433),
            (0.95, 1.4, 2.7, 0.728_178_785_036_397),
            (0.025, 682.0, 244.0, 0.707_668_264_079_039),
            (0.05, 20000.5, 31000.0, 0.388_609_215_503_230),
            (0.05, 1.7, 300.0, 0.000_806_226_945_525),
            (0.95, 33.3, 1.01, 0.998_406_870_369_116),
        ] {
            let found = quantile(p, a, b);
            assert!((found / expected - 1.0).abs() < 1e-11, "{p} {a} {b}: {found} {expected}");
            assert!((cdf(a, b, expected) / p - 1.0).abs() < 1e-10, "{p} {a} {b}: {}", cdf(a, b, expected));
        }
    }

    #[test]
    fn ends() {
        assert!((cdf(0.0, 2.0, 0.0) - 1.0).abs() < 1e-15 && cdf(2.0, 0.0, 0.999).abs() < 1e-15);
        assert!(quantile(0.3, 0.0, 2.0).abs() < 1e-15 && (quantile(0.3, 2.0, 0.0) - 1.0).abs() < 1e-15);
        assert!(cdf(0.0, 0.0, 0.5).is_nan() && quantile(0.5, -1.0, 2.0).is_nan() && quantile(1.5, 1.0, 2.0).is_nan());
        assert!(cdf(1.0, 1.0, f64::NAN).is_nan() && cdf(f64::INFINITY, 1.0, 0.5).is_nan());
        // Beta(1, 1) is uniform, Beta(a, 1) has x^a.
        assert!((quantile(0.25, 1.0, 1.0) - 0.25).abs() < 1e-15);
        assert!((quantile(0.05, 0.01, 1.0) / 0.05_f64.powi(100) - 1.0).abs() < 1e-9);
    }
}
