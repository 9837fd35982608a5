//! Limits and probabilities of counts by their own law, where nothing but chance is allowed for.

use statrs::function::gamma::{gamma_lr, gamma_ur};

use crate::stats::{beta, student::chi_square_quantile};

/// P(R <= r) for a binomial count out of n, for r between whole numbers too.
fn binomial_below(r: f64, n: f64, p: f64) -> f64 {
    if r < 0.0 {
        0.0
    } else if r >= n {
        1.0
    } else {
        // P(R <= r) = P(B > p) for B ~ Beta(r + 1, n - r).
        1.0 - beta::cdf(r + 1.0, n - r, p)
    }
}

/// The interpolated quantile of a binomial share (Spiegelhalter 2005, Stat. Med. 24:1185, eq. A.1).
///
/// r is the smallest count with `P(R <= r) >= tail`, and the limit `(r - a)/n` with a the part of its probability that
/// is not needed: `a = (P(R <= r) - tail) / (P(R <= r) - P(R <= r - 1))`.
pub(super) fn binomial_limit(tail: f64, n: f64, p: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        return p;
    }
    let (mut low, mut high) = (-1.0, n.ceil());
    while high - low > 1.0 {
        let middle = f64::midpoint(low, high).floor();
        if binomial_below(middle, n, p) >= tail { high = middle } else { low = middle }
    }
    let (at, before) = (binomial_below(high, n, p), binomial_below(high - 1.0, n, p));
    let unused = if at > before { (at - tail) / (at - before) } else { 0.0 };
    ((high - unused) / n).clamp(0.0, 1.0)
}

/// The limits of a ratio of an observed to an expected count: `qchisq(tail, 2E)/(2E)` below and
/// `qchisq(1 - tail, 2(E + 1))/(2E)` above (Garwood 1936, Biometrika 28:437), both times the target.
pub(super) fn poisson_limits(tail: f64, expected: f64) -> (f64, f64) {
    (
        chi_square_quantile(tail, 2.0 * expected) / (2.0 * expected),
        chi_square_quantile(1.0 - tail, 2.0 * (expected + 1.0)) / (2.0 * expected),
    )
}

/// The two-sided p of a binomial count: twice the smaller tail.
pub(super) fn binomial_p(r: f64, n: f64, p: f64) -> f64 {
    twice(binomial_below(r, n, p), 1.0 - binomial_below(r - 1.0, n, p))
}

/// The two-sided p of a Poisson count: twice the smaller tail.
pub(super) fn poisson_p(count: f64, expected: f64) -> f64 {
    twice(gamma_ur(count + 1.0, expected), if count > 0.0 { gamma_lr(count, expected) } else { 1.0 })
}

fn twice(below: f64, above: f64) -> f64 {
    (2.0 * below.min(above)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binomial_limits_by_hand() {
        // n = 2, p = 1/2: P(R <= 0) = .25, P(R <= 1) = .75. The median: r = 1, a = (.75 - .5)/.5 = .5, limit .25.
        assert!((binomial_limit(0.5, 2.0, 0.5) - 0.25).abs() < 1e-12);
        // P(R <= 0) = .25 >= .025: r = 0, a = (.25 - .025)/.25 = .9; below zero is zero.
        assert!(binomial_limit(0.025, 2.0, 0.5).abs() < 1e-15);
        // n = 10, p = .3, tail .975: P(R <= 5) = .9526510, P(R <= 6) = .9894079; (6 - .3919)/10.
        let a = (0.989_407_9 - 0.975) / (0.989_407_9 - 0.952_651_0);
        assert!((binomial_limit(0.975, 10.0, 0.3) - (6.0 - a) / 10.0).abs() < 1e-6);
        assert!((binomial_limit(0.975, 10.0, 0.0)).abs() < 1e-15);
    }

    #[test]
    fn p_values_by_hand() {
        assert!((binomial_p(0.0, 5.0, 0.5) - 2.0 / 32.0).abs() < 1e-12);
        assert!((binomial_p(2.0, 4.0, 0.5) - 1.0).abs() < 1e-12);
        assert!((poisson_p(0.0, 3.0) - 2.0 * (-3.0_f64).exp()).abs() < 1e-12);
    }
}
