//! Compositions: ordered sums of positive parts, which is what run lengths are.

use statrs::function::beta::ln_beta;
use statrs::function::factorial::ln_factorial;

/// Logarithms of factorials, looked up.
#[derive(Debug, Clone)]
pub(super) struct LnFactorials(Vec<f64>);

impl LnFactorials {
    /// Of 0 to `n`.
    pub(super) fn up_to(n: usize) -> Self {
        Self((0..=n as u64).map(ln_factorial).collect())
    }

    fn get(&self, n: usize) -> f64 {
        self.0.get(n).copied().unwrap_or_else(|| ln_factorial(n as u64))
    }

    /// `ln C(n, k)`; minus infinity where there is no such choice.
    pub(super) fn choose(&self, n: usize, k: usize) -> f64 {
        if k > n { f64::NEG_INFINITY } else { self.get(n) - self.get(k) - self.get(n - k) }
    }

    /// Logarithm of the number of compositions of `s` into `k` parts, C(s-1, k-1); one empty sum for s = k = 0.
    pub(super) fn compositions(&self, s: usize, k: usize) -> f64 {
        match (s, k) {
            (0, 0) => 0.0,
            (0, _) | (_, 0) => f64::NEG_INFINITY,
            _ => self.choose(s - 1, k - 1),
        }
    }
}

/// `ln P(count = i)` of `n` beta-binomial trials whose success probability is Beta(`success`, `failure`).
pub(super) fn ln_beta_binomial(
    ln_factorials: &LnFactorials,
    n: usize,
    i: usize,
    (success, failure): (f64, f64),
) -> f64 {
    ln_factorials.choose(n, i) + ln_beta(i as f64 + success, (n - i.min(n)) as f64 + failure)
        - ln_beta(success, failure)
}

/// Visits k = 1 ..= `k_max` in turn with two columns, for k - 1 and for k: entry `s` of a column is the share of the
/// compositions of `s` into that many parts which have at least one part longer than `limit` (>= 1).
///
/// From N(s,k) - N(s-1,k) = N(s-1,k-1) - N(s-1-limit,k-1), with N the number of compositions without a long part;
/// divided by C(s-1,k-1) and turned to the complement, every term is positive. So nothing cancels, nothing overflows,
/// and tail probabilities keep their relative accuracy. O(`s_max` x `k_max`) in time, O(`s_max`) in space. Entries
/// with s < k stand for nothing and are 0.
#[allow(clippy::indexing_slicing)] // s runs from k to s_max, both columns hold s_max + 1 entries, and s - 1 - limit >= k - 1
pub(super) fn sweep_long_shares(
    s_max: usize,
    k_max: usize,
    limit: usize,
    mut visit: impl FnMut(usize, &[f64], &[f64]),
) {
    let mut previous = vec![0.0_f64; s_max + 1];
    let mut column: Vec<f64> = (0..=s_max).map(|s| f64::from(u8::from(s > limit))).collect();
    let mut ln_first = 0.0_f64;
    for k in 1..=k_max {
        if k > 1 {
            std::mem::swap(&mut previous, &mut column);
            column.iter_mut().take(k + 1).for_each(|share| *share = 0.0);
            // C(s-2-limit, k-2) / C(s-1, k-1): of all compositions, those which the long last part rules out anew. At
            // its first s it may be too small for a double, and is then carried as a logarithm until it is not.
            ln_first += ((k - 1) as f64 / (k - 1 + limit) as f64).ln();
            let mut ln_ratio = ln_first;
            let mut ratio = ln_ratio.exp();
            for s in k + 1..=s_max {
                let same = (s - k) as f64 / (s - 1) as f64;
                let mut share = same * column[s - 1] + (1.0 - same) * previous[s - 1];
                if s >= k + limit {
                    share += ratio * (1.0 - previous[s - 1 - limit]);
                    let growth = (s - 1 - limit) as f64 / (s + 1 - limit - k) as f64 * (s + 1 - k) as f64 / s as f64;
                    if ratio > f64::MIN_POSITIVE {
                        ratio *= growth;
                    } else {
                        ln_ratio += growth.ln();
                        ratio = ln_ratio.exp();
                    }
                }
                column[s] = share.min(1.0);
            }
        }
        visit(k, &previous, &column);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (all compositions, those with a part longer than `limit`), by listing them.
    fn listed(s: usize, k: usize, limit: usize) -> (u32, u32) {
        fn walk(s: usize, k: usize, limit: usize, is_long: bool, found: &mut (u32, u32)) {
            if k == 0 {
                if s == 0 {
                    found.0 += 1;
                    found.1 += u32::from(is_long);
                }
                return;
            }
            for part in 1..=s {
                walk(s - part, k - 1, limit, is_long || part > limit, found);
            }
        }
        let mut found = (0, 0);
        walk(s, k, limit, false, &mut found);
        found
    }

    #[test]
    fn shares_agree_with_a_list_of_all_compositions() {
        let ln_factorials = LnFactorials::up_to(12);
        for limit in 1..=12 {
            sweep_long_shares(12, 12, limit, |k, _, column| {
                for (s, share) in column.iter().enumerate().skip(k) {
                    let (all, long) = listed(s, k, limit);
                    assert!((ln_factorials.compositions(s, k).exp() - f64::from(all)).abs() < 1e-9);
                    let expected = f64::from(long) / f64::from(all);
                    assert!((share - expected).abs() < 1e-14, "{s} {k} {limit}: {share} {expected}");
                }
            });
        }
    }

    #[test]
    fn long_sums_neither_overflow_nor_lose_their_tail() {
        // Two parts of s: one is longer than the limit unless both are at most the limit.
        let (s, limit) = (5000, 2600);
        sweep_long_shares(s, 2, limit, |k, _, column| {
            if k == 2 {
                let short = (2 * limit + 1 - s) as f64;
                assert!((column[s] - (1.0 - short / (s - 1) as f64)).abs() < 1e-12);
            }
        });
        // A tail whose first ratio is below the smallest double: one long part among 400, all others free, is
        // k C(s-limit-1, k-1) / C(s-1, k-1) while two long parts do not fit.
        let (s, k, limit) = (2500, 400, 1100);
        let ln_factorials = LnFactorials::up_to(s);
        let expected =
            (ln_factorials.choose(s - limit - 1, k - 1) - ln_factorials.choose(s - 1, k - 1)).exp() * k as f64;
        assert!(expected > 0.0 && expected < 1e-100);
        let mut seen = 0.0;
        sweep_long_shares(s, k, limit, |at, _, column| {
            if at == k {
                seen = column[s];
            }
        });
        assert!((seen - expected).abs() <= 1e-9 * expected, "{seen} {expected}");
    }
}
