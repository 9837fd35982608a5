//! Counting runs in a series of sides.

/// On which side of the centre line a point lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Below the line.
    Below,
    /// Exactly on the line (a tie).
    On,
    /// Above the line.
    Above,
}

impl Side {
    /// The side of `value` on which it lies of `center`, compared exactly; a NaN on either hand is a tie.
    pub fn of(value: f64, center: f64) -> Self {
        if value > center {
            Self::Above
        } else if value < center {
            Self::Below
        } else {
            Self::On
        }
    }

    /// +1 above, -1 below, 0 on the line.
    pub fn sign(self) -> f64 {
        match self {
            Self::Above => 1.0,
            Self::On => 0.0,
            Self::Below => -1.0,
        }
    }
}

/// What the runs of a series come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RunCounts {
    /// Points above the centre line.
    pub n_above: usize,
    /// Points below it.
    pub n_below: usize,
    /// Points of the longest run.
    pub longest_run: usize,
    /// How often the series crosses the line: the number of runs less one.
    pub n_crossings: usize,
}

/// The longest run and the crossings, with points on the line dropped: they neither break nor lengthen a run.
///
/// `sides` in the order of time. An empty series has no run and no crossing.
///
/// ```
/// use brightspot::stats::runs::{Side::{Above, Below, On}, count_runs};
/// let counts = count_runs(&[Above, On, Above, Below]);
/// assert_eq!((counts.longest_run, counts.n_crossings), (2, 1));
/// ```
pub fn count_runs(sides: &[Side]) -> RunCounts {
    let mut counts = RunCounts::default();
    let (mut last, mut length) = (Side::On, 0);
    for &side in sides.iter().filter(|side| **side != Side::On) {
        if side == Side::Above {
            counts.n_above += 1;
        } else {
            counts.n_below += 1;
        }
        if side == last {
            length += 1;
        } else {
            counts.n_crossings += usize::from(last != Side::On);
            (last, length) = (side, 1);
        }
        counts.longest_run = counts.longest_run.max(length);
    }
    counts
}

/// The longest run and the crossings, with each point on the line counted against the claim of a shift.
///
/// A tie ends a run and belongs to none, and the ties are given sides so that there are as many crossings as can be.
/// No assignment of sides to the ties has a shorter longest run or more crossings, so a probability computed from
/// these counts is never below the one that any breaking of the ties would give. After a frozen median ties must not
/// be dropped: with counts of few distinct values that makes a nominal 5% several times as large.
///
/// `sides` in the order of time; the longest run of a series that has points is at least 1.
pub fn count_runs_against(sides: &[Side]) -> RunCounts {
    let mut counts = RunCounts::default();
    let (mut last, mut length, mut ties) = (Side::On, 0, 0);
    for &side in sides {
        match side {
            Side::On => {
                ties += 1;
                length = 0;
                continue;
            }
            Side::Above => counts.n_above += 1,
            Side::Below => counts.n_below += 1,
        }
        if last == Side::On {
            // Ties before the first side may all alternate up to it.
            counts.n_crossings += ties;
        } else {
            // `ties` points between two known sides make ties + 1 steps; an odd number of them cross if the sides
            // differ, an even number if they do not.
            let is_odd = (ties + 1) % 2 == 1;
            counts.n_crossings += ties + usize::from(is_odd == (side != last));
        }
        length = if side == last { length + 1 } else { 1 };
        (last, ties) = (side, 0);
        counts.longest_run = counts.longest_run.max(length);
    }
    counts.n_crossings += if last == Side::On { ties.saturating_sub(1) } else { ties };
    counts.longest_run = counts.longest_run.max(usize::from(!sides.is_empty()));
    counts
}

#[cfg(test)]
mod tests {
    use super::Side::{Above, Below, On};
    use super::*;

    #[test]
    fn against_never_undercuts_any_breaking_of_the_ties() {
        let all = [Above, Below, On];
        for n in 1..=7_u32 {
            for code in 0..3_usize.pow(n) {
                let sides: Vec<Side> = (0..n).map(|i| all[code / 3_usize.pow(i) % 3]).collect();
                let n_ties = sides.iter().filter(|side| **side == On).count();
                let (mut least_run, mut most_crossings) = (usize::MAX, 0);
                for choice in 0..1_usize << n_ties {
                    let mut tie = 0;
                    let broken: Vec<Side> = sides
                        .iter()
                        .map(|side| {
                            if *side == On {
                                tie += 1;
                                if choice >> (tie - 1) & 1 == 1 { Above } else { Below }
                            } else {
                                *side
                            }
                        })
                        .collect();
                    let counts = count_runs(&broken);
                    least_run = least_run.min(counts.longest_run);
                    most_crossings = most_crossings.max(counts.n_crossings);
                }
                let counts = count_runs_against(&sides);
                assert_eq!(counts.n_crossings, most_crossings, "{sides:?}");
                assert!(counts.longest_run <= least_run, "{sides:?}");
                if n_ties == 0 {
                    assert_eq!(counts, count_runs(&sides));
                }
            }
        }
    }

    #[test]
    fn an_empty_series_has_no_run() {
        assert_eq!(count_runs(&[]), RunCounts::default());
        assert_eq!(count_runs_against(&[]), RunCounts::default());
        assert_eq!(count_runs(&[On, On]), RunCounts::default());
    }
}
