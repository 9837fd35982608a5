//! Which group every row is in, and what the groups' paths are.

use std::borrow::Cow;
use std::collections::HashMap;

/// The rows' groups and the groups' paths: the codes from the outermost factor inwards, group after group.
pub(super) struct Groups<'a> {
    /// One per row.
    pub(super) of_row: Cow<'a, [u32]>,
    pub(super) paths: Vec<u32>,
}

impl<'a> Groups<'a> {
    /// The groups of factors nested in each other, outermost first, in any order. Every group has a row.
    ///
    /// Codes that tell their groups by themselves are the groups: nothing is copied.
    pub(super) fn new(n_rows: usize, levels: &[&'a [u32]]) -> Self {
        let mut found = Self { of_row: Cow::Borrowed(&[]), paths: vec![] };
        for (depth, &codes) in levels.iter().enumerate() {
            let above = (depth > 0).then_some(&*found.of_row);
            if let Some(parents) = parents(codes, above) {
                found.paths = paths(&found.paths, depth, parents.into_iter().zip(0..));
                found.of_row = Cow::Borrowed(codes);
            } else {
                let mut groups = above.map_or_else(|| vec![0; n_rows], <[u32]>::to_vec);
                found.paths = number(&mut groups, &found.paths, depth, codes);
                found.of_row = Cow::Owned(groups);
            }
        }
        found
    }

    /// The same in the order of first appearance.
    pub(super) fn by_appearance(n_rows: usize, levels: &[&[u32]]) -> Self {
        let (mut groups, mut paths) = (vec![0; n_rows], vec![]);
        for (depth, codes) in levels.iter().enumerate() {
            paths = number(&mut groups, &paths, depth, codes);
        }
        Self { of_row: Cow::Owned(groups), paths }
    }
}

/// The group of every row, numbered in the order of paths: the order of the groups in the moments.
pub(crate) fn sorted_groups(n_rows: usize, levels: &[&[u32]]) -> Vec<u32> {
    let groups = Groups::new(n_rows, levels);
    let order = order_of_paths(&groups.paths, levels.len());
    let mut place = vec![0_u32; order.len()];
    for (group, position) in order.into_iter().zip(0..) {
        if let Some(cell) = place.get_mut(group as usize) {
            *cell = position;
        }
    }
    groups.of_row.iter().map(|g| place.get(*g as usize).copied().unwrap_or(u32::MAX)).collect()
}

/// Groups in the order of their paths; those with the same path stay in the order in which they stand.
pub(super) fn order_of_paths(paths: &[u32], depth: usize) -> Vec<u32> {
    let depth = depth.max(1);
    let n = paths.len() / depth;
    let mut order: Vec<u32> = (0..).take(n).collect();
    if !paths.chunks_exact(depth).is_sorted() {
        for level in (0..depth).rev() {
            let codes: Vec<u32> = paths.iter().skip(level).step_by(depth).copied().collect();
            sort_by_code(&mut order, &codes);
        }
    }
    order
}

/// Sorts rows by their code, keeping the order of those with the same.
pub(super) fn sort_by_code(order: &mut Vec<u32>, codes: &[u32]) {
    let largest = codes.iter().max().map_or(0, |c| *c as usize);
    if largest > 4 * codes.len() + 1024 {
        order.sort_by_key(|row| codes.get(*row as usize).copied().unwrap_or(u32::MAX));
        return;
    }
    let mut place = vec![0_u32; largest + 2];
    for &code in codes {
        if let Some(count) = place.get_mut(code as usize + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for cell in &mut place {
        sum += *cell;
        *cell = sum;
    }
    let mut sorted = vec![0_u32; order.len()];
    for &row in order.iter() {
        let Some(slot) = codes.get(row as usize).and_then(|c| place.get_mut(*c as usize)) else { continue };
        if let Some(cell) = sorted.get_mut(*slot as usize) {
            *cell = row;
        }
        *slot += 1;
    }
    *order = sorted;
}

/// The group around every code, where codes have no gaps and each stands in one group only; `above` are the groups
/// around the rows, where there are any.
fn parents(codes: &[u32], above: Option<&[u32]>) -> Option<Vec<u32>> {
    const NONE: u32 = u32::MAX;
    let n_codes = codes.iter().max().map_or(0, |c| *c as usize + 1);
    // Each has a row: there cannot be more of them.
    if n_codes > codes.len() {
        return None;
    }
    let Some(above) = above else {
        let mut occurs = vec![false; n_codes];
        for &code in codes {
            *occurs.get_mut(code as usize)? = true;
        }
        return (!occurs.contains(&false)).then(|| vec![0; n_codes]);
    };
    let mut parents = vec![NONE; n_codes];
    for (&code, &parent) in codes.iter().zip(above) {
        let cell = parents.get_mut(code as usize)?;
        if *cell != parent {
            if *cell != NONE {
                return None;
            }
            *cell = parent;
        }
    }
    (!parents.contains(&NONE)).then_some(parents)
}

/// Gives every pair of a group around and a code a number, in the order of first appearance; returns the paths.
fn number(groups: &mut [u32], above: &[u32], depth: usize, codes: &[u32]) -> Vec<u32> {
    let mut interner = Interner::new(groups.len(), codes);
    for (group, &code) in groups.iter_mut().zip(codes) {
        *group = interner.group(*group, code);
    }
    paths(above, depth, interner.found.into_iter())
}

/// The paths of groups: that of the group around each, of so many codes, and its own code.
fn paths(above: &[u32], depth: usize, found: impl Iterator<Item = (u32, u32)>) -> Vec<u32> {
    let mut paths = Vec::with_capacity(found.size_hint().0 * (depth + 1));
    for (parent, code) in found {
        let from = parent as usize * depth;
        paths.extend_from_slice(above.get(from..from + depth).unwrap_or_default());
        paths.push(code);
    }
    paths
}

/// Numbers (parent, code) pairs. Most codes have one parent, so a table by code answers nearly always.
struct Interner {
    table: Vec<(u32, u32)>,
    others: HashMap<(u32, u32), u32>,
    found: Vec<(u32, u32)>,
}

impl Interner {
    const EMPTY: (u32, u32) = (u32::MAX, u32::MAX);

    fn new(n_rows: usize, codes: &[u32]) -> Self {
        // Codes from a dictionary are small; a table for sparse ones would not be.
        let largest = codes.iter().max().map_or(0, |c| *c as usize + 1);
        let table = if largest <= 4 * n_rows + 1024 { vec![Self::EMPTY; largest] } else { Vec::new() };
        Self { table, others: HashMap::new(), found: Vec::new() }
    }

    #[inline]
    fn group(&mut self, parent: u32, code: u32) -> u32 {
        let next = u32::try_from(self.found.len()).unwrap_or(u32::MAX);
        if let Some(cell) = self.table.get_mut(code as usize) {
            if *cell == Self::EMPTY {
                *cell = (parent, next);
                self.found.push((parent, code));
                return next;
            }
            if cell.0 == parent {
                return cell.1;
            }
        }
        let found = &mut self.found;
        *self.others.entry((parent, code)).or_insert_with(|| {
            found.push((parent, code));
            next
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_tell_their_groups_are_the_groups() {
        let (school, teacher) = ([1, 0, 0, 1, 0], [0, 2, 1, 0, 1]);
        let groups = Groups::new(5, &[&school, &teacher]);
        assert!(matches!(groups.of_row, Cow::Borrowed(_)));
        assert_eq!((&*groups.of_row, groups.paths.as_slice()), (&teacher[..], &[1, 0, 0, 1, 0, 2][..]));
        assert_eq!(sorted_groups(5, &[&school, &teacher]), [2, 1, 0, 2, 0]);
    }

    #[test]
    fn codes_with_gaps_or_in_several_groups_are_numbered() {
        for (levels, of_row, paths) in [
            (&[&[3, 5, 3][..]][..], [0, 1, 0], &[3, 5][..]),
            (&[&[0, 1, 1], &[0, 0, 1]], [0, 1, 2], &[0, 0, 1, 0, 1, 1]),
            (&[&[7, 7, 2], &[0, 1, 2]], [0, 1, 2], &[7, 0, 7, 1, 2, 2]),
        ] {
            let groups = Groups::new(3, levels);
            assert_eq!((&*groups.of_row, groups.paths.as_slice()), (&of_row[..], paths));
        }
        assert_eq!(order_of_paths(&[7, 0, 7, 1, 2, 2], 2), [2, 0, 1]);
        assert_eq!(order_of_paths(&[4_000_000_000, 5, 5], 1), [1, 2, 0]);
    }
}
