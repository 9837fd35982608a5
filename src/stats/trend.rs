//! Is a series drifting? The Mann-Kendall test.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// Series without ties up to this length are compared with the exact law of S; longer ones with the normal.
const EXACT_UP_TO: usize = 60;

/// Kendall's S of a series against time, with one-sided probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Pairs that rise minus pairs that fall.
    pub s: i64,
    /// P(S >= s) for a series in random order: small for a series that rises.
    pub p_rising: f64,
    /// P(S <= s) for a series in random order: small for a series that falls.
    pub p_falling: f64,
}

/// The Mann-Kendall test of a monotone trend, one-sided both ways.
///
/// ```text
/// S = sum over i < j of sign(y_j - y_i)
/// ```
///
/// Without ties and up to 60 points the probabilities are exact (the law of the number of inversions of a random
/// order); otherwise Z = (S - 1) / sqrt(V) with V = \[n(n-1)(2n+5) - sum t(t-1)(2t+5)\] / 18 over the groups of t tied
/// values.
///
/// # Arguments
/// `values`: the series in the order of time.
///
/// # Missing values
/// NaN makes no pair: leave missing points out, since they would still count in n.
///
/// # Errors
/// None: a series with fewer than two different values has s = 0 and both probabilities 1.
///
/// # Reference
/// Mann (1945), Econometrica 13:245; Kendall (1975), Rank Correlation Methods, 4th ed., ch. 4-5.
///
/// ```
/// use brightspot::stats::trend::mann_kendall;
///
/// let trend = mann_kendall(&[1.0, 2.0, 3.0, 4.0]);
/// assert_eq!(trend.s, 6);
/// assert!((trend.p_rising - 1.0 / 24.0).abs() < 1e-12);
/// ```
pub fn mann_kendall(values: &[f64]) -> Trend {
    let n = values.len();
    let mut s = 0_i64;
    for (i, earlier) in values.iter().enumerate() {
        for later in values.iter().skip(i + 1) {
            s += i64::from(later > earlier) - i64::from(later < earlier);
        }
    }
    let ties = tie_groups(values);
    let (p_rising, p_falling) = if n < 2 || ties.contains(&n) {
        (1.0, 1.0)
    } else if ties.iter().all(|&t| t == 1) && n <= EXACT_UP_TO {
        (exact_upper(n, s), exact_upper(n, -s))
    } else {
        let v = variance(n, &ties);
        (normal_upper(s, v), normal_upper(-s, v))
    };
    Trend { s, p_rising, p_falling }
}

fn tie_groups(values: &[f64]) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    // Equality of values as they were given.
    #[allow(clippy::float_cmp)]
    sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).collect()
}

/// P(S >= s): S = n(n-1)/2 - 2 I with I the inversions of a random order, whose law is the convolution of uniforms on
/// 0..k for k < n.
fn exact_upper(n: usize, s: i64) -> f64 {
    let mut law = vec![1.0_f64];
    for k in 1..n {
        let mut next = vec![0.0; law.len() + k];
        for (i, p) in law.iter().enumerate() {
            for cell in next.iter_mut().skip(i).take(k + 1) {
                *cell += p / (k + 1) as f64;
            }
        }
        law = next;
    }
    // Up to 60 points: at most 1770 pairs.
    #[allow(clippy::cast_possible_wrap)]
    let pairs = (n * (n - 1) / 2) as i64;
    let p: f64 = law.iter().zip(0_i64..).filter(|(_, inversions)| pairs - 2 * inversions >= s).map(|(p, _)| p).sum();
    p.min(1.0)
}

fn variance(n: usize, ties: &[usize]) -> f64 {
    let term = |t: usize| {
        let t = t as f64;
        t * (t - 1.0) * (2.0 * t + 5.0)
    };
    (term(n) - ties.iter().map(|&t| term(t)).sum::<f64>()) / 18.0
}

fn normal_upper(s: i64, variance: f64) -> f64 {
    // S moves in steps of 2 without ties and at least 1 with them: half of a step back, as Kendall has it.
    let z = (s as f64 - 1.0) / variance.sqrt();
    Normal::standard().sf(z)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every order of n values, by Heap's algorithm.
    fn orders(n: usize) -> Vec<Vec<f64>> {
        fn heap(k: usize, values: &mut Vec<f64>, out: &mut Vec<Vec<f64>>) {
            if k <= 1 {
                out.push(values.clone());
                return;
            }
            for i in 0..k {
                heap(k - 1, values, out);
                values.swap(if k.is_multiple_of(2) { i } else { 0 }, k - 1);
            }
        }
        let mut out = vec![];
        heap(n, &mut (0..n).map(|v| v as f64).collect(), &mut out);
        out
    }

    #[test]
    fn exact_law_is_the_count_of_orders() {
        for n in 2..=7 {
            let all: Vec<i64> = orders(n).iter().map(|o| mann_kendall(o).s).collect();
            for s in [-3_i64, -1, 0, 1, 2, 5, 9, 15] {
                let counted = all.iter().filter(|&&other| other >= s).count() as f64 / all.len() as f64;
                assert!((exact_upper(n, s) - counted).abs() < 1e-12, "n {n}, s {s}");
            }
        }
    }

    /// Kendall (1975), table of P(S >= s): n = 10, s = 21 has .036; n = 8, s = 16 has .031; n = 9, s = 18 has .038.
    #[test]
    fn agrees_with_the_printed_table() {
        for (n, s, p) in [(10, 21, 0.036), (8, 16, 0.031), (9, 18, 0.038), (4, 6, 0.042), (5, 8, 0.042)] {
            assert!((exact_upper(n, s) - p).abs() < 0.000_51, "n {n}, s {s}: {}", exact_upper(n, s));
        }
    }

    #[test]
    fn the_normal_joins_the_exact_law() {
        for s in [90_i64, 150, 290] {
            let exact = exact_upper(40, s);
            let normal = normal_upper(s, variance(40, &[]));
            assert!((exact - normal).abs() < 0.002, "s {s}: exact {exact}, normal {normal}");
        }
    }

    #[test]
    fn ties_shrink_the_variance() {
        // 12 values in 3 groups of 4: V = (12*11*29 - 3*4*3*13)/18 = (3828 - 468)/18.
        assert!((variance(12, &[4, 4, 4]) - 3360.0 / 18.0).abs() < 1e-12);
        let trend = mann_kendall(&[1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 3.0]);
        assert_eq!(trend.s, 48);
        assert!(trend.p_rising < 0.001 && trend.p_falling > 0.999);
    }

    #[test]
    fn nothing_to_tell() {
        assert_eq!(mann_kendall(&[]), Trend { s: 0, p_rising: 1.0, p_falling: 1.0 });
        assert_eq!(mann_kendall(&[2.0, 2.0, 2.0]), Trend { s: 0, p_rising: 1.0, p_falling: 1.0 });
    }
}
