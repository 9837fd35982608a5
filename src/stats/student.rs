//! Student's t and chi-square, to the accuracy of the functions beneath them.

use statrs::function::gamma::{gamma_lr, gamma_ur};

use super::{beta, normal};

/// P(T <= t) for Student's t on `df` degrees of freedom, the normal law where they are infinite; NaN for 0 or fewer.
pub(crate) fn cdf(t: f64, df: f64) -> f64 {
    if df.is_infinite() || df.is_nan() || df <= 0.0 {
        return if df > 0.0 { normal::cdf(t) } else { f64::NAN };
    }
    let tail = 0.5 * beta::cdf(df / 2.0, 0.5, df / (df + t * t));
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// P(T >= t), as exact as [`cdf`] however small it is.
pub(crate) fn above(t: f64, df: f64) -> f64 {
    cdf(-t, df)
}

/// The t with P(T <= t) = `p`; exact in both tails. NaN for 0 degrees of freedom or fewer.
pub(crate) fn quantile(p: f64, df: f64) -> f64 {
    if df.is_infinite() || df.is_nan() || df <= 0.0 {
        return if df > 0.0 { normal::quantile(p) } else { f64::NAN };
    }
    let tail = p.min(1.0 - p);
    if tail <= 0.0 {
        return if p < 0.5 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    // 1 - x = t^2 / (df + t^2) is the other end of the same beta law: near the centre it is the exact one.
    let x = beta::quantile(2.0 * tail, df / 2.0, 0.5);
    let rest = if x > 0.5 { beta::quantile(1.0 - 2.0 * tail, 0.5, df / 2.0) } else { 1.0 - x };
    let t = (df * rest / x).sqrt();
    if p < 0.5 { -t } else { t }
}

/// P(X >= x) for chi-square on `df` degrees of freedom.
pub(crate) fn chi_square_above(x: f64, df: f64) -> f64 {
    if x > 0.0 { gamma_ur(df / 2.0, x / 2.0) } else { 1.0 }
}

/// The x with P(X <= x) = `p` for chi-square on `df` degrees of freedom; halved until the interval cannot shrink.
pub(crate) fn chi_square_quantile(p: f64, df: f64) -> f64 {
    if !(p > 0.0 && p < 1.0 && df > 0.0) {
        return if p <= 0.0 { 0.0 } else { f64::INFINITY };
    }
    let below = |x: f64| gamma_lr(df / 2.0, x / 2.0);
    let mut high = df.max(1.0);
    while below(high) < p {
        high *= 2.0;
    }
    let mut low = 0.0;
    for _ in 0..200 {
        // Tiny quantiles are found by their ratio.
        let middle = if low > 0.0 && high > 2.0 * low { (low * high).sqrt() } else { f64::midpoint(low, high) };
        if middle <= low || middle >= high {
            break;
        }
        if below(middle) < p { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_r() {
        // R 4.2: qt(.975, 2), qt(.975, 12), qt(.95, 1), qt(.6, 3); qchisq(.975, 12), qchisq(.025, 1), qchisq(.5, 40).
        for (p, df, expected) in [
            (0.975, 2.0, 4.302_652_729_749_462),
            (0.975, 12.0, 2.178_812_829_667_228),
            (0.95, 1.0, 6.313_751_514_675_038),
            (0.6, 3.0, 0.276_670_662_332_69),
        ] {
            assert!((quantile(p, df) / expected - 1.0).abs() < 1e-12, "{p} {df}: {}", quantile(p, df));
            assert!((quantile(1.0 - p, df) / -expected - 1.0).abs() < 1e-11);
            assert!((cdf(expected, df) - p).abs() < 1e-13);
            assert!((above(expected, df) / (1.0 - p) - 1.0).abs() < 1e-12);
        }
        for (p, df, expected) in [
            (0.975, 12.0, 23.336_664_158_645_33),
            (0.025, 1.0, 0.000_982_069_117_175_254),
            (0.5, 40.0, 39.335_344_846_611_35),
        ] {
            let found = chi_square_quantile(p, df);
            assert!((found / expected - 1.0).abs() < 1e-11, "{p} {df}: {found}");
            assert!((chi_square_above(expected, df) - (1.0 - p)).abs() < 1e-12);
        }
        assert!((above(1.959_963_984_540_054, f64::INFINITY) - 0.025).abs() < 1e-10);
        assert!(above(1.0, 0.0).is_nan() && quantile(0.9, -1.0).is_nan() && cdf(1.0, f64::NAN).is_nan());
        assert!(quantile(0.5, 4.0).abs() < 1e-12 && quantile(0.0, 4.0).is_infinite());
    }
}
