//! Patterns that are one stretch of points in a row: shifts, trends, hugging, alternating. One pass each.

use super::rule::{Flags, Ties};
use super::signal::{Signal, Signals, mark};
use crate::stats::runs::Side;

/// A stretch while it grows, point by point.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    /// Its first point.
    start: usize,
    /// How many points count.
    n: usize,
    /// Whether it has been long enough before.
    is_complete: bool,
}

impl Stretch {
    fn from(start: usize, n: usize) -> Self {
        Self { start, n, is_complete: false }
    }

    /// Marks what the stretch has come to by point `at`, which belongs to it. `is_passed_over` says which of its points
    /// do not count.
    fn mark(
        &mut self,
        (at, length): (usize, usize),
        flags: Flags,
        signal: Signal,
        signals: &mut [Signals],
        is_passed_over: impl Fn(usize) -> bool,
    ) {
        if self.n < length {
            return;
        }
        let from = if self.is_complete || flags == Flags::Completing { at } else { self.start };
        self.is_complete = true;
        mark(signals, from..=at, signal, |i| !is_passed_over(i));
    }
}

/// The longest stretch of what is so, without a branch for each point: most series have no pattern, and a look at what is
/// no shorter than any pattern tells that several times as fast as the search for it.
pub(super) fn longest(is_so: impl Iterator<Item = bool>) -> usize {
    let (mut n, mut longest) = (0, 0);
    for is_so in is_so {
        n = (n + 1) * usize::from(is_so);
        longest = longest.max(n);
    }
    longest
}

/// Whether the longest stretch of values that do not fall, or that do not rise, has so many points.
fn may_trend(values: &[f64], length: usize) -> bool {
    let steps = || values.iter().zip(values.iter().skip(1));
    let most = longest(steps().map(|(a, b)| b >= a)).max(longest(steps().map(|(a, b)| b <= a)));
    most + 1 >= length
}

/// Points in a row on one side of the line, with the signal they give.
pub(super) fn runs_of(
    sides: &[Side],
    (length, on_center, flags): (usize, Ties, Flags),
    signal: Signal,
    signals: &mut [Signals],
) {
    let not = |other: Side| longest(sides.iter().map(|side| *side != other));
    if not(Side::Below).max(not(Side::Above)) < length {
        return;
    }
    let (mut last, mut run) = (Side::On, Stretch::from(0, 0));
    for (at, &side) in sides.iter().enumerate() {
        match (side, on_center) {
            (Side::On, Ties::Break) => last = Side::On,
            (Side::On, Ties::Skip) => {}
            (Side::On, Ties::Count) if last == Side::On => {}
            (side, _) => {
                if side == last || side == Side::On {
                    run.n += 1;
                } else {
                    (last, run) = (side, Stretch::from(at, 1));
                }
                let is_skipped = |i: usize| on_center == Ties::Skip && sides.get(i) == Some(&Side::On);
                run.mark((at, length), flags, signal, signals, is_skipped);
            }
        }
    }
}

/// Points in a row that rise, or that fall.
pub(super) fn trend(values: &[f64], length: usize, ties: Ties, flags: Flags, signals: &mut [Signals]) {
    if !may_trend(values, length) {
        return;
    }
    let is_repeat =
        |i: usize| ties == Ties::Skip && i.checked_sub(1).is_some_and(|before| values.get(before) == values.get(i));
    // `top` is where the values that are equal to the last one begin: a trend that turns starts there.
    let (mut direction, mut top, mut run) = (Side::On, 0, Stretch::from(0, 1));
    for (at, (&before, &value)) in (1..).zip(values.iter().zip(values.iter().skip(1))) {
        let step = Side::of(value, before);
        if step == Side::On {
            match ties {
                Ties::Skip => continue,
                Ties::Break => (direction, top, run) = (Side::On, at, Stretch::from(at, 1)),
                Ties::Count => run.n += 1,
            }
        } else {
            if step == direction || direction == Side::On {
                run.n += 1;
            } else {
                let n_before = if ties == Ties::Count { at - top } else { 1 };
                run = Stretch::from(top, n_before + 1);
            }
            (direction, top) = (step, at);
        }
        // Equal values alone are no trend.
        if direction != Side::On {
            let start = run.start;
            run.mark((at, length), flags, Signal::Trend, signals, |i| i > start && is_repeat(i));
        }
    }
}

/// Points in a row within some sigmas of the line.
pub(super) fn hugging(z: &[f64], length: usize, sigmas: f64, flags: Flags, signals: &mut [Signals]) {
    if longest(z.iter().map(|z| z.abs() <= sigmas)) < length {
        return;
    }
    let mut run = Stretch::from(0, 0);
    for (at, z) in z.iter().enumerate() {
        if z.abs() <= sigmas {
            run.n += 1;
            run.mark((at, length), flags, Signal::Hugging, signals, |_| false);
        } else {
            run = Stretch::from(at + 1, 0);
        }
    }
}

/// Points in a row that go up and down in turn.
pub(super) fn alternating(values: &[f64], length: usize, flags: Flags, signals: &mut [Signals]) {
    let turns = values.iter().zip(values.iter().skip(1)).zip(values.iter().skip(2));
    if longest(turns.map(|((a, b), c)| (b > a) != (c > b))) + 2 < length {
        return;
    }
    let (mut last, mut run) = (Side::On, Stretch::from(0, 1));
    for (at, (&before, &value)) in (1..).zip(values.iter().zip(values.iter().skip(1))) {
        let step = Side::of(value, before);
        if step == Side::On {
            run = Stretch::from(at, 1);
        } else if last == Side::On || step != last {
            run.n += 1;
        } else {
            run = Stretch::from(at - 1, 2);
        }
        last = step;
        run.mark((at, length), flags, Signal::Alternating, signals, |_| false);
    }
}
