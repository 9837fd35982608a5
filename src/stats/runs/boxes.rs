//! Limits for the longest run and the crossings together: what a rule allows a series of so many points, and the two
//! rules that are made from the joint law so as to find a given shift best.
//!
//! A rule that looks at the longest run L and at the crossings C says "no signal" in a region of the (C, L) plane. The
//! region is a box where C and L are bounded one by one; a cut box lacks cells at the corner of few crossings and long
//! runs, which is where a shifted process ends up first.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, DiscreteCDF};

use crate::stats::normal;

/// The specificity that a box keeps at least: the share of stable series about a known line without a signal.
const SPECIFICITY: f64 = 0.925;

/// The shift that a box is to find, in standard deviations of normal values.
const SHIFT: f64 = 0.8;

/// The most points for which [`best_box`] and [`cut_box`] are computed; the work grows with their square.
pub const MAX_BOX: usize = 2000;

/// What is allowed to a series of a given number of points that are not on the centre line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunLimits {
    /// The longest run that is no signal.
    pub longest_run_max: usize,
    /// The fewest crossings that are no signal.
    pub n_crossings_min: usize,
    /// What is cut off the corner of the box, where few crossings and a long run come together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corner: Option<Corner>,
}

/// The cells that a cut box lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Corner {
    /// With so many crossings or fewer, no run may be longer than `longest_run_max`.
    pub n_crossings: usize,
    /// See `n_crossings`.
    pub longest_run_max: usize,
    /// With fewer crossings than this, no run may be longer than `longest_run_below`.
    pub n_crossings_below: usize,
    /// See `n_crossings_below`.
    pub longest_run_below: usize,
}

impl RunLimits {
    /// Limits without a cut corner.
    pub fn new(longest_run_max: usize, n_crossings_min: usize) -> Self {
        Self { longest_run_max, n_crossings_min, corner: None }
    }

    /// The longest run that is no signal in a series with so many crossings.
    ///
    /// ```
    /// use brightspot::stats::runs::cut_box;
    /// let limits = cut_box(24).unwrap();
    /// assert_eq!((limits.longest_run_max, limits.n_crossings_min), (7, 6));
    /// assert_eq!((limits.longest_run_max_at(6), limits.longest_run_max_at(7)), (6, 7));
    /// ```
    pub fn longest_run_max_at(&self, n_crossings: usize) -> usize {
        match self.corner {
            Some(corner) if n_crossings <= corner.n_crossings => {
                self.longest_run_max.min(corner.longest_run_max).min(corner.longest_run_below)
            }
            Some(corner) if n_crossings < corner.n_crossings_below => {
                self.longest_run_max.min(corner.longest_run_below)
            }
            _ => self.longest_run_max,
        }
    }

    /// Whether a series with this longest run and so many crossings breaks a limit.
    pub fn has_signal(&self, longest_run: usize, n_crossings: usize) -> bool {
        n_crossings < self.n_crossings_min || longest_run > self.longest_run_max_at(n_crossings)
    }

    /// The limits within which both allow a series; of two corners the first stays.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            longest_run_max: self.longest_run_max.min(other.longest_run_max),
            n_crossings_min: self.n_crossings_min.max(other.n_crossings_min),
            corner: self.corner.or(other.corner),
        }
    }

    /// The crossings that are no signal, as ranges (from, to below) each with its longest run.
    pub(super) fn steps(&self) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let limits = *self;
        let cuts = self.corner.map_or([0, 0], |corner| [corner.n_crossings + 1, corner.n_crossings_below]);
        let mut from = self.n_crossings_min;
        [cuts[0], cuts[1], usize::MAX].into_iter().filter_map(move |to| {
            let start = from;
            from = from.max(to);
            (to > start).then(|| (start, to, limits.longest_run_max_at(start)))
        })
    }
}

/// The best box of Anhøj and Wentzel-Larsen: of all boxes {C >= c, L <= l} that hold a stable series with probability
/// .925 or more, the one that holds a series shifted by .8 standard deviations with the smallest probability.
///
/// Stable means that each point falls on either side of a known line like a fair coin; shifted, that it lies above with
/// probability Phi(.8). Both joint laws of C and L are exact. The published tables hold n = 10 to 100; the same
/// definition gives every other n here.
///
/// * `n_useful`: points that are not on the centre line.
///
/// None for no points and for more than [`MAX_BOX`].
///
/// Reference: Anhøj & Wentzel-Larsen (2020), PLOS ONE 15(6) e0233920.
///
/// ```
/// use brightspot::stats::runs::best_box;
/// let limits = best_box(24).unwrap();
/// assert_eq!((limits.longest_run_max, limits.n_crossings_min), (7, 6));
/// assert_eq!(best_box(0), None);
/// ```
pub fn best_box(n_useful: usize) -> Option<RunLimits> {
    Some(JointLaws::new(n_useful)?.best().limits)
}

/// The cut box of Anhøj and Wentzel-Larsen: the best box without cells at its corner of few crossings and long runs.
///
/// First the corner cell goes, then, one at a time, the next cell along the side of fewest crossings or along the side
/// of longest runs, whichever a shifted series falls into more often, for as long as the rest holds a stable series
/// with probability .925 or more. So it finds shifts at least as often as the best box.
///
/// * `n_useful`: points that are not on the centre line.
///
/// None for no points and for more than [`MAX_BOX`]; without a corner where no cell can go.
///
/// Reference: Anhøj & Wentzel-Larsen (2020), PLOS ONE 15(6) e0233920.
///
/// ```
/// use brightspot::stats::runs::cut_box;
/// assert!(cut_box(24).unwrap().has_signal(7, 6) && !cut_box(24).unwrap().has_signal(7, 7));
/// ```
pub fn cut_box(n_useful: usize) -> Option<RunLimits> {
    let mut laws = JointLaws::new(n_useful)?;
    let best = laws.best();
    Some(laws.cut(&best))
}

/// A probability about a known line: of a stable and of a shifted series.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Prob {
    stable: f64,
    shifted: f64,
}

/// A box with the probability that a series lies in it.
struct Found {
    limits: RunLimits,
    prob: Prob,
}

/// P(C = c, L <= l) of both processes for one number of points, by l where it has been asked for.
struct JointLaws {
    n: usize,
    by_limit: BTreeMap<usize, Vec<Prob>>,
}

impl JointLaws {
    fn new(n: usize) -> Option<Self> {
        (1..=MAX_BOX).contains(&n).then(|| Self { n, by_limit: BTreeMap::new() })
    }

    /// P(C = c, L <= `limit`), c = 0 .. n.
    fn at(&mut self, limit: usize) -> &[Prob] {
        let n = self.n;
        self.by_limit.entry(limit).or_insert_with(|| {
            let stable = crossings_without_long_run(n, limit, 0.5);
            let shifted = crossings_without_long_run(n, limit, normal::cdf(SHIFT));
            stable.into_iter().zip(shifted).map(|(stable, shifted)| Prob { stable, shifted }).collect()
        })
    }

    /// P(C = `n_crossings`, L = `longest_run`); nothing outside of what there can be.
    fn cell(&mut self, n_crossings: usize, longest_run: usize) -> Option<Prob> {
        let upto = *self.at(longest_run).get(n_crossings)?;
        let shorter = *self.at(longest_run.checked_sub(1)?).get(n_crossings)?;
        Some(Prob { stable: upto.stable - shorter.stable, shifted: upto.shifted - shorter.shifted })
    }

    fn best(&mut self) -> Found {
        // No box asks for more crossings than the crossings alone allow.
        let most = Binomial::new(0.5, self.n as u64 - 1)
            .map_or(0, |crossings| usize::try_from(crossings.inverse_cdf(1.0 - SPECIFICITY)).unwrap_or(0));
        // Half of the stable series and more have a longer run than this.
        let shortest = (self.n.ilog2() as usize).saturating_sub(1).max(1);
        let mut best: Option<Found> = None;
        for limit in shortest..=self.n {
            let law = self.at(limit);
            let mut prob = Prob { stable: 0.0, shifted: 0.0 };
            let mut found = None;
            let mut at_most = 0.0;
            for (c, cell) in law.iter().enumerate().rev() {
                prob = Prob { stable: prob.stable + cell.stable, shifted: prob.shifted + cell.shifted };
                if c == most {
                    at_most = prob.shifted;
                }
                if prob.stable >= SPECIFICITY {
                    found = Some(Found { limits: RunLimits::new(limit, c), prob });
                    break;
                }
            }
            if let Some(found) = found
                && best.as_ref().is_none_or(|best| found.prob.shifted < best.prob.shifted)
            {
                best = Some(found);
            }
            // A wider box holds at least what this one holds with the most crossings that can be asked for.
            if best.as_ref().is_some_and(|best| at_most >= best.prob.shifted) {
                break;
            }
        }
        // With runs of any length and any number of crossings there is always a box.
        best.unwrap_or(Found { limits: RunLimits::new(self.n, 0), prob: Prob { stable: 1.0, shifted: 1.0 } })
    }

    fn cut(&mut self, best: &Found) -> RunLimits {
        let Found { limits, mut prob } = *best;
        let fits = |prob: Prob, cell: Prob| prob.stable - cell.stable >= SPECIFICITY;
        let (few, long) = (limits.n_crossings_min, limits.longest_run_max);
        let Some(first) = self.cell(few, long).filter(|cell| fits(prob, *cell)) else { return limits };
        prob.stable -= first.stable;
        let mut corner = Corner {
            n_crossings: few,
            longest_run_max: long - 1,
            n_crossings_below: few + 1,
            longest_run_below: long - 1,
        };
        loop {
            let along_few = self.cell(few, corner.longest_run_max).filter(|cell| fits(prob, *cell));
            let along_long = self.cell(corner.n_crossings_below, long).filter(|cell| fits(prob, *cell));
            let gain = |cell: Option<Prob>| cell.map_or(f64::NEG_INFINITY, |cell| cell.shifted);
            let cell = if gain(along_few) >= gain(along_long) { along_few } else { along_long };
            let Some(cell) = cell else { return RunLimits { corner: Some(corner), ..limits } };
            prob.stable -= cell.stable;
            if gain(along_few) >= gain(along_long) {
                corner.longest_run_max -= 1;
            } else {
                corner.n_crossings_below += 1;
            }
        }
    }
}

/// P(C = c, L <= `limit`), c = 0 .. n, for n independent points of which each lies above the line with probability `p`.
///
/// Let A(i, k) be the probability that the first i points end above in their k-th run and have no run longer than the
/// limit, and B(i, k) the same below. Then A(i, k) = p [A(i-1, k) + B(i-1, k-1) - p^limit B(i-1-limit, k-1)]: the last
/// point goes on with a run or starts one, less the runs that it would make too long; and so for B with 1 - p. O(n^2).
fn crossings_without_long_run(n: usize, limit: usize, p: f64) -> Vec<f64> {
    if limit == 0 {
        return vec![0.0; n];
    }
    let sides = [p, 1.0 - p];
    let too_long = sides.map(|p| i32::try_from(limit).map_or(0.0, |limit| p.powi(limit)));
    let empty = || [vec![0.0; n + 1], vec![0.0; n + 1]];
    // The rows of the last `limit` + 1 points, in a ring; no point is in "run 0" of either side.
    let depth = limit.min(n) + 1;
    let mut rows: std::collections::VecDeque<[Vec<f64>; 2]> = std::collections::VecDeque::with_capacity(depth + 1);
    let mut start = empty();
    start.iter_mut().filter_map(|row| row.first_mut()).for_each(|first| *first = 1.0);
    rows.push_back(start);
    for i in 1..=n {
        // The row that leaves is the one a run longer than the limit would have started after.
        let leaving = if rows.len() > depth { rows.pop_front() } else { None };
        let long_ago = if i > limit { rows.front() } else { None };
        let mut next = leaving.unwrap_or_else(empty);
        let Some(last) = rows.back() else { break };
        for (s, row) in next.iter_mut().enumerate() {
            let (Some(same), Some(other)) = (last.get(s), last.get(1 - s)) else { continue };
            let (Some(p), Some(over)) = (sides.get(s), too_long.get(s)) else { continue };
            row.iter_mut().take(1).for_each(|first| *first = 0.0);
            let cells = row.iter_mut().skip(1).zip(same.iter().skip(1)).zip(other).take(i);
            match long_ago.and_then(|row| row.get(1 - s)) {
                None => cells.for_each(|((cell, same), other)| *cell = p * (same + other)),
                Some(old) => cells.zip(old).for_each(|(((cell, same), other), old)| {
                    *cell = (p * (same + other - over * old)).max(0.0);
                }),
            }
        }
        rows.push_back(next);
    }
    let Some([above, below]) = rows.back() else { return vec![0.0; n] };
    above.iter().zip(below).skip(1).map(|(above, below)| above + below).collect()
}
