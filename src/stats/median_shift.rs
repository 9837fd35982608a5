//! The shift of the median between two phases of a series, by ranks.

use serde::{Deserialize, Serialize};

use super::normal;
use super::step::{ALPHA, PhaseLaw, autocorrelation, require_values};
use super::summary::median;
use crate::{Error, Result};

/// The estimated shift between two phases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MedianShift {
    /// The median of all differences of a value after and a value before (Hodges & Lehmann).
    pub estimate: f64,
    /// Lower end of the 90% interval; minus infinity where so few values cannot show anything.
    pub lo: f64,
    /// Upper end of the 90% interval; infinite where so few values cannot show anything.
    pub hi: f64,
    /// The median before.
    pub before: f64,
    /// The median after. Its distance from the median before need not be `estimate`.
    pub after: f64,
    /// One-sided p of a shift upwards.
    pub p_above: f64,
    /// One-sided p of a shift downwards.
    pub p_below: f64,
    /// The first-order autocorrelation that was allowed for.
    pub phi: f64,
    /// The first-order autocorrelation of the ranks within each phase, as it was found.
    pub phi_raw: f64,
    /// How many times larger the autocorrelation makes the variance of the rank sum.
    pub inflation: f64,
    /// The smallest p that so many values could have given: above .05 nothing could have been shown.
    pub p_smallest: f64,
    /// Points before.
    pub n_before: usize,
    /// Points after.
    pub n_after: usize,
}

/// The shift of one series between two phases, by the rank-sum test turned into an interval, which allows for
/// autocorrelation.
///
/// With D the b n differences of a value after and a value before, W = #{D <= 0}, and v, phi* as in
/// [`super::step::step`], phi* computed on the ranks of each phase (divided by its size plus 1, less a half):
///
/// ```text
/// estimate = median of D
/// sd^2 = b n (b + n + 1)/12 * v/(1/b + 1/n)
/// p_above = P(Z >= (b n/2 - W - 1/2)/sd);  lo = the k-th smallest D, k - 1 the largest W with p_above <= .05
/// ```
///
/// and the mirror image for `p_below` and `hi`. The variance is that of Mann and Whitney times what autocorrelation does to
/// the variance of a difference of two means: the rank sum is such a difference, of ranks. A difference of 0 counts against
/// either claim. The interval is that of a shift: the two phases are taken to differ in level, not in spread or shape.
///
/// # Arguments
/// `before`, `after`: the values of the two phases, each in the order of time, in the measure's unit.
///
/// # Missing values
/// None are allowed: leave missing points out.
///
/// # Errors
/// [`Error::TooFew`] with fewer than 3 points in a phase; [`Error::InvalidValue`] for values that are not finite, or that
/// do not vary within either phase.
///
/// # Notes
/// Three points in a phase and three or four in the other can never give an interval with ends.
///
/// # Reference
/// Hodges & Lehmann (1963), Annals of Mathematical Statistics 34:598; Mann & Whitney (1947), ibid. 18:50; Lehmann (1975),
/// Nonparametrics, 2.5 and 2.6 (the interval); Zwiers & von Storch (1995), Journal of Climate 8:336 (the allowance).
///
/// ```
/// use brightspot::stats::median_shift::median_shift;
///
/// let before = [61.0, 64.0, 62.0, 63.0, 60.0, 62.0, 63.0, 61.0];
/// let found = median_shift(&before, &[66.0, 68.0, 65.0, 67.0, 69.0, 67.0])?;
/// assert_eq!(found.estimate, 5.0);
/// assert!(found.lo > 0.0 && found.p_above < 0.05);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn median_shift(before: &[f64], after: &[f64]) -> Result<MedianShift> {
    require_values("the shift of a median", before, after)?;
    let ranks: Vec<f64> = centred_ranks(before).into_iter().chain(centred_ranks(after)).collect();
    let (phi_raw, phi) = autocorrelation(&ranks);
    let inflation = PhaseLaw::new(before.len(), after.len(), phi).inflation();
    let (b, n) = (before.len() as f64, after.len() as f64);
    let sd = (b * n * (b + n + 1.0) / 12.0 * inflation).sqrt();
    let p_of = |n_against: f64| normal::cdf((n_against + 0.5 - b * n / 2.0) / sd);

    let differences = Differences::new(before, after);
    let n_pairs = differences.n_pairs();
    let n_at_most_zero = differences.n_at_most(0.0);
    let n_at_least_zero = n_pairs - differences.n_below(0.0);
    let p_smallest = p_of(0.0);
    let (lo, hi) = if p_smallest <= ALPHA {
        // k - 1 = floor(b n/2 - 1/2 - z sd) is the largest count against a claim that it survives.
        let last = (b * n / 2.0 - 0.5 + normal::quantile(ALPHA) * sd).floor().max(0.0);
        // Not negative, and below b n / 2.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let last = last as usize;
        (differences.smallest(last + 1), differences.smallest(n_pairs - last))
    } else {
        (f64::NEG_INFINITY, f64::INFINITY)
    };
    let middle = |values: &[f64]| median(&mut values.to_vec());
    let (Some(median_before), Some(median_after)) = (middle(before), middle(after)) else {
        return Err(Error::Numerical { what: "the medians".into(), problem: "there is no value".into() });
    };
    Ok(MedianShift {
        estimate: f64::midpoint(differences.smallest(n_pairs.div_ceil(2)), differences.smallest(n_pairs / 2 + 1)),
        lo,
        hi,
        before: median_before,
        after: median_after,
        p_above: p_of(n_at_most_zero as f64),
        p_below: p_of(n_at_least_zero as f64),
        phi,
        phi_raw,
        inflation,
        p_smallest,
        n_before: before.len(),
        n_after: after.len(),
    })
}

/// Ranks (ties share theirs) over the number of values plus 1, less a half: from -1/2 to 1/2, with mean 0.
fn centred_ranks(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let scale = values.len() as f64 + 1.0;
    values
        .iter()
        .map(|value| {
            let n_below = sorted.partition_point(|other| other < value) as f64;
            let n_at_most = sorted.partition_point(|other| other <= value) as f64;
            (n_below + n_at_most + 1.0) / 2.0 / scale - 0.5
        })
        .collect()
}

/// All differences of a value after and a value before, without writing them down.
struct Differences {
    before: Vec<f64>,
    after: Vec<f64>,
}

impl Differences {
    fn new(before: &[f64], after: &[f64]) -> Self {
        let sorted = |values: &[f64]| {
            let mut sorted = values.to_vec();
            sorted.sort_by(f64::total_cmp);
            sorted
        };
        Self { before: sorted(before), after: sorted(after) }
    }

    fn n_pairs(&self) -> usize {
        self.before.len() * self.after.len()
    }

    /// In time linear in the number of values: what is too large for one value after is too large for the next.
    fn count(&self, is_counted: impl Fn(f64) -> bool) -> usize {
        let mut rest = self.before.as_slice();
        let mut count = 0;
        for after in &self.after {
            while let Some((first, others)) = rest.split_first()
                && !is_counted(after - first)
            {
                rest = others;
            }
            count += rest.len();
        }
        count
    }

    fn n_at_most(&self, limit: f64) -> usize {
        self.count(|difference| difference <= limit)
    }

    fn n_below(&self, limit: f64) -> usize {
        self.count(|difference| difference < limit)
    }

    /// The k-th smallest difference, k from 1 to their number: halves the interval of numbers between the smallest and the
    /// largest, so that it is exactly one of the differences.
    fn smallest(&self, k: usize) -> f64 {
        let ends = |values: &[f64]| values.first().copied().zip(values.last().copied());
        let (Some((first, last)), Some((low, high))) = (ends(&self.before), ends(&self.after)) else {
            return f64::NAN;
        };
        let (mut low, mut high) = (order_of(low - last), order_of(high - first));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.n_at_most(number_at(middle)) >= k { high = middle } else { low = middle + 1 }
        }
        // No minus zero.
        number_at(low) + 0.0
    }
}

const SIGN: u64 = 1 << 63;

/// The place of a number among all numbers, from the smallest up.
fn order_of(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn number_at(place: u64) -> f64 {
    f64::from_bits(if place & SIGN == 0 { !place } else { place & !SIGN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_those_written_down() {
        let before = [3.0, -1.5, 2.0, 2.0, 0.0, 1e-300, 7.25];
        let after = [2.0, -4.0, 2.0, 1e6, -0.0];
        let mut all: Vec<f64> = after.iter().flat_map(|a| before.iter().map(move |b| a - b)).collect();
        all.sort_by(f64::total_cmp);
        let found = Differences::new(&before, &after);
        for (k, difference) in all.iter().enumerate() {
            let gap = (found.smallest(k + 1) - difference).abs();
            assert!(gap == 0.0, "{k}: {} {difference}", found.smallest(k + 1));
        }
        for limit in [-5.0, -2.0, 0.0, 0.5, 2.0] {
            assert_eq!(found.n_at_most(limit), all.iter().filter(|d| **d <= limit).count());
            assert_eq!(found.n_below(limit), all.iter().filter(|d| **d < limit).count());
        }
    }

    #[test]
    fn ranks_share_ties() {
        let found = centred_ranks(&[5.0, 1.0, 5.0, 9.0]);
        for (found, rank) in found.iter().zip([2.5, 1.0, 2.5, 4.0]) {
            assert!((found - (rank / 5.0 - 0.5)).abs() < 1e-15);
        }
    }
}
