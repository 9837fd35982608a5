//! Patterns of a window of consecutive points: zones, and avoiding the line. One pass a side, whatever the window.

use super::judge::Line;
use super::rule::{Flags, Rule};
use super::signal::{Signal, Signals, mark};
use super::stretches::longest;
use crate::stats::runs::Side;

/// So many of a window's points beyond so many sigmas, on one side; see [`Rule::Zone`].
pub(super) fn zone(line: &Line<'_>, rule: &Rule, signals: &mut [Signals]) {
    let Rule::Zone { count, of, sigmas, is_one_sided, counts_beyond_limits, ends_in_zone, flags } = *rule else {
        return;
    };
    let signal = Rule::zone_signal(count, of);
    for side in [Side::Above, Side::Below] {
        let is_far = |z: &f64| z * side.sign() > sigmas;
        if most_in_a_window(line.z, of, is_far) < count {
            continue;
        }
        let is_in = |at: usize| {
            line.z.get(at).is_some_and(is_far) && (counts_beyond_limits || line.beyond.get(at) == Some(&Side::On))
        };
        let is_on_side = |at: usize| line.side.get(at) == Some(&side);
        let (mut n_in, mut n_on_side, mut next) = (0, 0, 0);
        for at in 0..line.value.len() {
            n_in += usize::from(is_in(at));
            n_on_side += usize::from(is_on_side(at));
            if let Some(gone) = at.checked_sub(of) {
                n_in -= usize::from(is_in(gone));
                n_on_side -= usize::from(is_on_side(gone));
            }
            let is_full = at + 1 >= of;
            let is_pattern = n_in >= count && (!is_one_sided || n_on_side == of) && (!ends_in_zone || is_in(at));
            if is_full && is_pattern {
                let from = if flags == Flags::All { next.max(at + 1 - of) } else { at };
                mark(signals, from..=at, signal, |i| flags == Flags::Completing || is_in(i));
                next = at + 1;
            }
        }
    }
}

/// The most points of any full window that are so, without a branch for each point (see [`longest`]).
fn most_in_a_window(z: &[f64], of: usize, is_so: impl Fn(&f64) -> bool) -> usize {
    let Some((first, rest)) = z.split_at_checked(of) else { return 0 };
    let mut n = first.iter().filter(|z| is_so(z)).count();
    let mut most = n;
    for (comes, goes) in rest.iter().zip(z) {
        n = n + usize::from(is_so(comes)) - usize::from(is_so(goes));
        most = most.max(n);
    }
    most
}

/// Points in a row outside of some sigmas, on both sides or on any; see [`Rule::Avoiding`].
pub(super) fn avoiding(z: &[f64], length: usize, sigmas: f64, both_sides: bool, flags: Flags, signals: &mut [Signals]) {
    if longest(z.iter().map(|z| z.abs() > sigmas)) < length {
        return;
    }
    // Where the stretch of points outside began, and how many points ago each side was last seen.
    let (mut start, mut above, mut below, mut next) = (0, None, None, 0);
    for (at, &z) in z.iter().enumerate() {
        if z > sigmas {
            above = Some(at);
        } else if z < -sigmas {
            below = Some(at);
        } else {
            (start, above, below) = (at + 1, None, None);
            continue;
        }
        let is_within = |seen: Option<usize>| seen.is_some_and(|seen| at - seen < length);
        if at + 1 - start >= length && (!both_sides || (is_within(above) && is_within(below))) {
            let from = if flags == Flags::All { next.max(at + 1 - length) } else { at };
            mark(signals, from..=at, Signal::Avoiding, |_| true);
            next = at + 1;
        }
    }
}
