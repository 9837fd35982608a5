//! Too few or too many runs, for the number of points there are.

use crate::stats::runs::{RunLaw, RunLaws};

/// The fewest runs that are no signal: the smallest r with P(R <= r) above `prob`; 1 where even two runs are not so rare.
///
/// R is the number of runs in a random order of as many points above as below; of an odd number of points there is one
/// more on one side.
///
/// * `n_useful`: points that are not on the centre line; with none the limit is 0.
/// * `prob`: the probability of the lower tail, between 0 and 1.
///
/// The exact limit by the tables of Swed & Eisenhart. The table printed with the run chart rules (Perla, Provost &
/// Murray 2011) is laxer by one run at some n, for instance 20.
///
/// Reference: Swed & Eisenhart (1943), Ann. Math. Stat. 14:66.
///
/// ```
/// assert_eq!(brightspot::rules::n_runs_min(20, 0.025), 7);
/// ```
pub fn n_runs_min(n_useful: usize, prob: f64) -> usize {
    n_runs_limits(&mut RunLaws::default(), n_useful, prob).0
}

/// The most runs that are no signal: the largest r with P(R >= r) above `prob`; see [`n_runs_min`].
///
/// ```
/// assert_eq!(brightspot::rules::n_runs_max(20, 0.025), 15);
/// ```
pub fn n_runs_max(n_useful: usize, prob: f64) -> usize {
    n_runs_limits(&mut RunLaws::default(), n_useful, prob).1
}

/// The fewest and the most runs that are no signal.
pub(super) fn n_runs_limits(laws: &mut RunLaws, n_useful: usize, prob: f64) -> (usize, usize) {
    if n_useful == 0 {
        return (0, 0);
    }
    let law = RunLaw::SamePoints { n_above: n_useful.div_ceil(2), n_below: n_useful / 2 };
    // r runs make r - 1 crossings, and a series has at least one run.
    let mut at_most = |r: usize| if r == 0 { 0.0 } else { laws.prob_crossings(law, r - 1) };
    // One run alone is not a random order of points on both sides, and so no rarer than two.
    let fewest = if at_most(2) > prob { 1 } else { (3..n_useful).find(|r| at_most(*r) > prob).unwrap_or(n_useful) };
    let most = (fewest..=n_useful).rev().find(|r| 1.0 - at_most(r - 1) > prob).unwrap_or(fewest);
    (fewest, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Critical values printed for equal numbers above and below, n = 2m: at most so many and at least so many runs have a
    /// probability of .025 or less (Swed & Eisenhart 1943; also Siegel 1956, table F).
    #[test]
    fn printed_limits() {
        let printed = [
            (5, 2, 10),
            (6, 3, 11),
            (7, 3, 13),
            (8, 4, 14),
            (9, 5, 15),
            (10, 6, 16),
            (11, 7, 17),
            (12, 7, 19),
            (13, 8, 20),
            (14, 9, 21),
            (15, 10, 22),
            (16, 11, 23),
            (17, 11, 25),
            (18, 12, 26),
            (19, 13, 27),
            (20, 14, 28),
        ];
        for (m, few, many) in printed {
            assert_eq!((n_runs_min(2 * m, 0.025), n_runs_max(2 * m, 0.025)), (few + 1, many - 1), "{m}");
        }
    }

    /// In whole numbers: 1000 x (orders with at most r runs) <= 25 x (all orders), from the counts of compositions.
    #[test]
    fn limits_by_counting() {
        fn choose(n: u128, k: u128) -> u128 {
            (0..k).fold(1, |product, i| product * (n - i) / (i + 1))
        }
        let compositions = |s: u128, k: u128| if k == 0 || k > s { 0 } else { choose(s - 1, k - 1) };
        for n in 2..=60_u128 {
            let (a, c) = (n.div_ceil(2), n / 2);
            let orders = |r: u128| {
                if r.is_multiple_of(2) {
                    2 * compositions(a, r / 2) * compositions(c, r / 2)
                } else {
                    compositions(a, r / 2 + 1) * compositions(c, r / 2)
                        + compositions(a, r / 2) * compositions(c, r / 2 + 1)
                }
            };
            let total = choose(n, a);
            assert_eq!((1..=n).map(orders).sum::<u128>(), total);
            let is_rare = |count: u128| 1000 * count <= 25 * total;
            let few = (2..=n).find(|r| !is_rare((1..=*r).map(orders).sum())).unwrap();
            let few = if few == 2 { 1 } else { few };
            let many = (1..=n).rev().find(|r| !is_rare((*r..=n).map(orders).sum())).unwrap();
            let n = usize::try_from(n).unwrap();
            let ours = (n_runs_min(n, 0.025) as u128, n_runs_max(n, 0.025) as u128);
            assert_eq!(ours, (few, many), "{n}");
        }
        assert_eq!((n_runs_min(0, 0.025), n_runs_max(0, 0.025)), (0, 0));
        assert_eq!((n_runs_min(1, 0.025), n_runs_max(1, 0.025)), (1, 1));
        // Two runs have 2/70 at four and four, 2/126 at five and four.
        assert_eq!((n_runs_min(8, 0.025), n_runs_min(9, 0.025)), (1, 3));
    }
}
