//! The sums a model of nested random intercepts needs: everything else about the rows can be forgotten.

use std::collections::HashMap;

use super::design::{Design, check_finite, check_rows};
use crate::{Error, Result};

/// The groups of one level of nesting, in the order of their paths, so that the groups of one parent are neighbours.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Level {
    /// The group's own code, as the caller gave it.
    pub(crate) codes: Vec<u32>,
    /// The index of the parent in the level above; zeros in the outermost level.
    pub(crate) parents: Vec<u32>,
    /// Rows in the group.
    pub(crate) n: Vec<f64>,
}

/// Mergeable sufficient statistics of y = X beta + nested random intercepts + error.
///
/// With A = \[1, x, y\] (values taken from a shift near their means, so that sums of squares of scores around 500 keep
/// their digits): the cross products A'A over all rows, and for every innermost group the number of rows and the sum
/// of A. Parts of a data set give moments that [`Moments::merge`] into those of the whole (Chan, Golub and `LeVeque` 1983,
/// Am. Stat. 37:242), provided that codes and levels mean the same in every part.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    pub(crate) terms: Vec<String>,
    pub(crate) n_obs: usize,
    /// What was subtracted from every covariate, then from y.
    pub(crate) shift: Vec<f64>,
    /// A'A, row by row, with A = [1, x - shift, y - shift].
    pub(crate) gram: Vec<f64>,
    /// Outermost to innermost.
    pub(crate) levels: Vec<Level>,
    /// Sums of A for every innermost group, group by group; the first of each is its number of rows.
    pub(crate) sums: Vec<f64>,
}

impl Moments {
    /// The moments of rows: `y` is the outcome, `levels` the codes of the grouping factors, outermost first.
    ///
    /// A group is its whole path: the code 0 in two different parents is two groups. No value may be missing.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for columns of different lengths and outcomes that are not finite; [`Error::TooFew`]
    /// without a row or without a factor.
    pub fn new(design: &Design, y: &[f64], levels: &[&[u32]]) -> Result<Self> {
        Self::of_rows(design, y, levels, |_| true)
    }

    /// The moments of the rows for which `is_kept` holds; groups without such a row are not there.
    pub(crate) fn of_rows(
        design: &Design,
        y: &[f64],
        levels: &[&[u32]],
        is_kept: impl Fn(usize) -> bool,
    ) -> Result<Self> {
        let n_rows = design.n_rows();
        if levels.is_empty() {
            return Err(too_few("a mixed model", "1 grouping factor", 0, "name the factor whose units differ"));
        }
        if n_rows == 0 {
            return Err(too_few("a mixed model", "1 row", 0, "check which rows were left out"));
        }
        check_rows("outcome", y.len(), n_rows)?;
        check_finite("outcome", y)?;
        for codes in levels {
            check_rows("grouping factor", codes.len(), n_rows)?;
        }
        let shift: Vec<f64> = design
            .columns()
            .iter()
            .map(|c| c.values().sum::<f64>() / n_rows as f64)
            .chain([y.iter().sum::<f64>() / n_rows as f64])
            .collect();
        let (groups, paths) = group_rows(n_rows, levels);
        let width = shift.len() + 1;
        let mut gram = vec![0.0; width * width];
        let mut sums = vec![0.0; paths.len() / levels.len() * width];
        let n_obs = accumulate(design, y, &shift, &groups, is_kept, &mut gram, &mut sums);
        if n_obs == 0 {
            return Err(too_few("a mixed model", "1 row", 0, "check which rows were left out"));
        }
        Ok(Self::assemble(design.terms().to_vec(), n_obs, shift, gram, levels.len(), &paths, &sums))
    }

    /// The moments of both parts together.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] when the parts have other terms or another number of factors.
    pub fn merge(&self, other: &Self) -> Result<Self> {
        if self.terms != other.terms || self.levels.len() != other.levels.len() {
            return Err(Error::InvalidValue {
                what: "moments to be merged".into(),
                found: format!(
                    "terms {:?} in {} factors and {:?} in {} factors",
                    self.terms,
                    self.levels.len(),
                    other.terms,
                    other.levels.len()
                ),
                remedy: "give both parts the same covariates, levels and factors".into(),
            });
        }
        let (n, m) = (self.n_obs as f64, other.n_obs as f64);
        let shift: Vec<f64> = self.shift.iter().zip(&other.shift).map(|(a, b)| (a * n + b * m) / (n + m)).collect();
        let (first, second) = (self.shifted(&shift), other.shifted(&shift));
        let gram = first.gram.iter().zip(&second.gram).map(|(a, b)| a + b).collect();
        let depth = self.levels.len();
        let (paths, sums) =
            ([self.paths(), other.paths()].concat(), [first.sums.as_slice(), second.sums.as_slice()].concat());
        Ok(Self::assemble(self.terms.clone(), self.n_obs + other.n_obs, shift, gram, depth, &paths, &sums))
    }

    /// Rows behind the moments.
    pub fn n_obs(&self) -> usize {
        self.n_obs
    }

    /// The names of the fixed terms, the intercept first.
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// How many grouping factors are nested in each other.
    pub fn n_levels(&self) -> usize {
        self.levels.len()
    }

    /// How many groups there are at a level; 0 is the outermost.
    pub fn n_groups(&self, level: usize) -> usize {
        self.levels.get(level).map_or(0, |l| l.codes.len())
    }

    /// [1, x, y]: the length of a group's sums.
    pub(crate) fn width(&self) -> usize {
        self.shift.len() + 1
    }

    /// The same sums about another shift.
    fn shifted(&self, shift: &[f64]) -> Self {
        let width = self.width();
        // How far every component of A moves; the leading 1 stays.
        let step: Vec<f64> =
            std::iter::once(0.0).chain(self.shift.iter().zip(shift).map(|(old, new)| old - new)).collect();
        let totals: Vec<f64> = self.gram.iter().take(width).copied().collect();
        let n = self.n_obs as f64;
        let mut moved = self.clone();
        shift.clone_into(&mut moved.shift);
        for ((row, &s), &t) in moved.gram.chunks_exact_mut(width).zip(&step).zip(&totals) {
            for ((cell, &s2), &t2) in row.iter_mut().zip(&step).zip(&totals) {
                *cell += s * t2 + t * s2 + n * s * s2;
            }
        }
        for group in moved.sums.chunks_exact_mut(width) {
            let count = group.first().copied().unwrap_or(0.0);
            for (sum, s) in group.iter_mut().zip(&step) {
                *sum += count * s;
            }
        }
        moved
    }

    /// The path of every innermost group, outermost code first.
    fn paths(&self) -> Vec<u32> {
        let groups = self.levels.last().map_or(0, |l| l.codes.len());
        (0..groups).flat_map(|group| path(&self.levels, group)).collect()
    }

    /// Lays groups, in any order and possibly repeated, out in the order of their paths.
    pub(super) fn assemble(
        terms: Vec<String>,
        n_obs: usize,
        shift: Vec<f64>,
        gram: Vec<f64>,
        depth: usize,
        paths: &[u32],
        sums: &[f64],
    ) -> Self {
        let width = shift.len() + 1;
        let mut order: Vec<(&[u32], &[f64])> = paths.chunks_exact(depth).zip(sums.chunks_exact(width)).collect();
        order.sort_by_key(|(path, _)| *path);
        let mut levels = vec![Level::default(); depth];
        let mut sorted: Vec<f64> = Vec::with_capacity(sums.len());
        let mut last: Option<&[u32]> = None;
        for (path, sum) in order {
            if sum.first().is_none_or(|n| *n == 0.0) {
                continue;
            }
            if last == Some(path) {
                let tail = sorted.len() - width;
                for (total, s) in sorted.iter_mut().skip(tail).zip(sum) {
                    *total += s;
                }
            } else {
                sorted.extend_from_slice(sum);
                append(&mut levels, path, last);
                last = Some(path);
            }
            let rows = sum.first().copied().unwrap_or(0.0);
            for level in &mut levels {
                if let Some(n) = level.n.last_mut() {
                    *n += rows;
                }
            }
        }
        Self { terms, n_obs, shift, gram, levels, sums: sorted }
    }
}

/// The codes from the outermost level down to a group of the last of `levels`.
pub(crate) fn path(levels: &[Level], group: usize) -> Vec<u32> {
    let mut codes = Vec::with_capacity(levels.len());
    let mut at = group;
    for level in levels.iter().rev() {
        codes.push(level.codes.get(at).copied().unwrap_or(u32::MAX));
        at = level.parents.get(at).copied().unwrap_or(0) as usize;
    }
    codes.reverse();
    codes
}

/// Appends a group after the one with the path `last`: a new group at every level from the first difference on.
fn append(levels: &mut [Level], path: &[u32], last: Option<&[u32]>) {
    let shared = last.map_or(0, |last| path.iter().zip(last).take_while(|(a, b)| a == b).count());
    let mut parent = 0_usize;
    for (depth, (level, &code)) in levels.iter_mut().zip(path).enumerate() {
        if depth >= shared {
            level.codes.push(code);
            level.parents.push(u32::try_from(parent).unwrap_or(u32::MAX));
            level.n.push(0.0);
        }
        parent = level.codes.len() - 1;
    }
}

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

/// One pass over the rows; how many were kept.
fn accumulate(
    design: &Design,
    y: &[f64],
    shift: &[f64],
    groups: &[u32],
    is_kept: impl Fn(usize) -> bool,
    gram: &mut [f64],
    sums: &mut [f64],
) -> usize {
    let mut n_obs = 0;
    let width = shift.len() + 1;
    let mut row = vec![1.0; width];
    for (i, (&y, &group)) in y.iter().zip(groups).enumerate() {
        if !is_kept(i) {
            continue;
        }
        n_obs += 1;
        let values = design.columns().iter().map(|c| c.at(i)).chain([y]);
        for ((cell, value), shift) in row.iter_mut().skip(1).zip(values).zip(shift) {
            *cell = value - shift;
        }
        for (line, &a) in gram.chunks_exact_mut(width).zip(&row) {
            for (cell, &b) in line.iter_mut().zip(&row) {
                *cell += a * b;
            }
        }
        let from = group as usize * width;
        if let Some(group) = sums.get_mut(from..from + width) {
            for (sum, a) in group.iter_mut().zip(&row) {
                *sum += a;
            }
        }
    }
    n_obs
}

fn too_few(what: &str, needed: &str, found: usize, remedy: &str) -> Error {
    Error::TooFew { what: what.into(), needed: needed.into(), found, remedy: remedy.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_its_whole_path() {
        // The labels 0 and 1 of the inner factor are used again in the second batch; code 7 stands before 3 in time.
        let design = Design::new(6, &[]).unwrap();
        let y = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let moments = Moments::new(&design, &y, &[&[7, 7, 3, 3, 7, 3], &[0, 1, 0, 1, 1, 0]]).unwrap();
        assert_eq!(moments.levels[0].codes, [3, 7]);
        assert_eq!(moments.levels[0].n, [3.0, 3.0]);
        assert_eq!(moments.levels[1].codes, [0, 1, 0, 1]);
        assert_eq!(moments.levels[1].parents, [0, 0, 1, 1]);
        assert_eq!(moments.levels[1].n, [2.0, 1.0, 1.0, 2.0]);
        // Sums of y about 3.5.
        let sums: Vec<f64> = moments.sums.chunks_exact(2).map(|s| s[1]).collect();
        assert_eq!(sums, [2.0, 0.5, -2.5, 0.0]);
        assert_eq!(path(&moments.levels, 2), [7, 0]);
    }

    #[test]
    fn sparse_codes_need_no_table() {
        let design = Design::new(3, &[]).unwrap();
        let moments = Moments::new(&design, &[1.0, 2.0, 4.0], &[&[4_000_000_000, 5, 4_000_000_000]]).unwrap();
        assert_eq!(moments.levels[0].codes, [5, 4_000_000_000]);
        assert_eq!(moments.levels[0].n, [1.0, 2.0]);
    }
}
