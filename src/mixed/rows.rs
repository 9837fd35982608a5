//! From rows to groups: which group every row is in, and the sums over the rows of every group.

use std::collections::HashMap;
use std::ops::Range;

use super::design::{Column, Design};

/// The group of every row, and the paths of the groups, in the order of first appearance.
pub(super) fn group_rows(n_rows: usize, levels: &[&[u32]]) -> (Vec<u32>, Vec<u32>) {
    let mut groups = vec![0_u32; n_rows];
    let mut paths: Vec<u32> = Vec::new();
    for (depth, codes) in levels.iter().enumerate() {
        let mut interner = Interner::new(n_rows, codes);
        for (group, &code) in groups.iter_mut().zip(*codes) {
            *group = interner.group(*group, code);
        }
        let above = std::mem::take(&mut paths);
        paths = Vec::with_capacity(interner.found.len() * (depth + 1));
        for &(parent, code) in &interner.found {
            paths.extend(above.iter().skip(parent as usize * depth).take(depth));
            paths.push(code);
        }
    }
    (groups, paths)
}

/// The group of every row, numbered in the order of paths: the order of the groups in the moments.
pub(crate) fn sorted_groups(n_rows: usize, levels: &[&[u32]]) -> Vec<u32> {
    let (groups, paths) = group_rows(n_rows, levels);
    let mut order: Vec<(&[u32], u32)> = paths.chunks_exact(levels.len().max(1)).zip(0..).collect();
    order.sort_unstable();
    let mut place = vec![0_u32; order.len()];
    for ((_, group), position) in order.into_iter().zip(0..) {
        if let Some(cell) = place.get_mut(group as usize) {
            *cell = position;
        }
    }
    groups.iter().map(|g| place.get(*g as usize).copied().unwrap_or(u32::MAX)).collect()
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

/// Rows whose groups are fetched together: so many that they overlap, so few that they stay in the cache.
const BLOCK: usize = 128;

/// The numbers of all rows, block by block.
pub(super) fn blocks(n_rows: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n_rows).step_by(BLOCK).map(move |from| from..(from + BLOCK).min(n_rows))
}

/// What the rows of one group add up to.
pub(super) struct GroupSums {
    /// Sums of w A, group by group; the first of each is its sum of weights.
    pub(super) sums: Vec<f64>,
    /// Rows of every group.
    pub(super) n: Vec<f64>,
}

impl GroupSums {
    pub(super) fn zeros(n_groups: usize, width: usize) -> Self {
        Self { sums: vec![0.0; n_groups * width], n: vec![0.0; n_groups] }
    }

    /// Reads what rows of these groups will be added to. Groups in random order lie all over a memory that is larger than
    /// a processor's cache: read by themselves, many of them come at the same time, added one after another they do not.
    #[inline]
    pub(super) fn fetch(&self, groups: &[u32]) {
        let Some(width) = self.sums.len().checked_div(self.n.len()) else { return };
        let read = groups.iter().fold(0.0, |read: f64, &group| {
            let (from, n) = (group as usize * width, self.n.get(group as usize));
            let ends = [self.sums.get(from), self.sums.get(from + width - 1), n];
            ends.into_iter().flatten().fold(read, |read, cell| read.max(*cell))
        });
        std::hint::black_box(read);
    }

    #[inline]
    pub(super) fn add(&mut self, group: u32, share: f64, row: &[f64]) {
        let from = group as usize * row.len();
        if let (Some(sums), Some(n)) = (self.sums.get_mut(from..from + row.len()), self.n.get_mut(group as usize)) {
            *n += 1.0;
            for (sum, a) in sums.iter_mut().zip(row) {
                *sum += share * a;
            }
        }
    }
}

/// The rows of a model: A = \[1, x - shift, y - shift\] and a weight for each.
pub(super) struct Rows<'a> {
    pub(super) columns: Vec<Column<'a>>,
    pub(super) shift: Vec<f64>,
    pub(super) weights: Option<&'a [f64]>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(design: &Design<'a>, y: &'a [f64], weights: Option<&'a [f64]>) -> Self {
        let columns: Vec<Column> = design.columns().iter().copied().chain([Column::Numeric(y)]).collect();
        let n = design.n_rows() as f64;
        let shift = columns.iter().map(|c| c.sum() / n).collect();
        Self { columns, shift, weights }
    }

    pub(super) fn width(&self) -> usize {
        self.columns.len() + 1
    }

    pub(super) fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |w| w.get(row).copied().unwrap_or(0.0))
    }

    /// Visits those of `rows` that have a positive weight and are kept.
    #[inline]
    pub(super) fn visit(
        &self,
        rows: Range<usize>,
        is_kept: impl Fn(usize) -> bool,
        mut with: impl FnMut(usize, f64, &[f64]),
    ) {
        let mut row = vec![1.0; self.width()];
        for i in rows {
            let weight = self.weight(i);
            if weight <= 0.0 || !is_kept(i) {
                continue;
            }
            for ((cell, column), shift) in row.iter_mut().skip(1).zip(&self.columns).zip(&self.shift) {
                *cell = column.at(i) - shift;
            }
            with(i, weight, &row);
        }
    }
}

/// The lower triangle of m += scale row row'.
#[inline]
pub(super) fn add_square(m: &mut [f64], row: &[f64], scale: f64) {
    for ((k, line), &a) in m.chunks_exact_mut(row.len()).enumerate().zip(row) {
        let a = scale * a;
        for (cell, &b) in line.iter_mut().zip(row).take(k + 1) {
            *cell += a * b;
        }
    }
}

/// Fills the upper triangle from the lower.
#[allow(clippy::indexing_slicing)] // both indices are below `width`, and `m` has `width` squared cells
pub(super) fn mirror(m: &mut [f64], width: usize) {
    for i in 0..width {
        for j in 0..i {
            m[j * width + i] = m[i * width + j];
        }
    }
}
