//! The weights that the units of crossing factors share, pair by pair.

use serde::{Deserialize, Serialize};

use super::belonging::Belonging;

/// Z'WZ between the innermost units of two blocks, or (first = second) of one membership: every pair once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pairs {
    pub(crate) first: usize,
    pub(crate) second: usize,
    /// Unit of the first block, of the second, and the weight they share; sorted. Within one block first <= second.
    pub(crate) entries: Vec<(u32, u32, f64)>,
}

/// The pairs of all parts that cross, `places` being where the units went in the moments.
pub(super) fn of_rows(
    belonging: &[Belonging],
    places: &[Vec<u32>],
    n_rows: usize,
    weight: impl Fn(usize) -> f64 + Copy,
) -> Vec<Pairs> {
    let mut pairs = Vec::new();
    let place = |block: usize| places.get(block).map_or(&[][..], Vec::as_slice);
    for (second, b) in belonging.iter().enumerate() {
        for (first, a) in belonging.iter().enumerate().take(second + 1) {
            let is_same = first == second;
            if !is_same || b.is_membership() {
                let entries = shared(a, b, is_same, n_rows, weight);
                pairs.push(Pairs { first, second, entries: merged(entries, is_same, place(first), place(second)) });
            }
        }
    }
    pairs
}

/// The weights that units of two parts share, one entry per row and pair.
fn shared(
    a: &Belonging,
    b: &Belonging,
    is_same: bool,
    n_rows: usize,
    weight: impl Fn(usize) -> f64,
) -> Vec<(u32, u32, f64)> {
    let mut entries = Vec::with_capacity(n_rows);
    for row in 0..n_rows {
        let weight = weight(row);
        if weight > 0.0 {
            a.each(row, |i, share| {
                b.each(row, |j, other| {
                    if !is_same || i <= j {
                        entries.push((i, j, weight * share * other));
                    }
                });
            });
        }
    }
    entries
}

/// The entries under the units' new places, sorted, each pair once.
pub(super) fn merged(
    mut entries: Vec<(u32, u32, f64)>,
    is_same: bool,
    first: &[u32],
    second: &[u32],
) -> Vec<(u32, u32, f64)> {
    let to = |place: &[u32], unit: u32| place.get(unit as usize).copied().unwrap_or(u32::MAX);
    for entry in &mut entries {
        let (i, j) = (to(first, entry.0), to(second, entry.1));
        (entry.0, entry.1) = if is_same { (i.min(j), i.max(j)) } else { (i, j) };
    }
    summed(entries)
}

/// Sorted, every place once.
pub(crate) fn summed(mut entries: Vec<(u32, u32, f64)>) -> Vec<(u32, u32, f64)> {
    entries.sort_by_key(|e| (e.0, e.1));
    entries.dedup_by(|next, kept| {
        let is_same = (next.0, next.1) == (kept.0, kept.1);
        if is_same {
            kept.2 += next.2;
        }
        is_same
    });
    entries
}
