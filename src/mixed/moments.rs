//! The sums a model of random intercepts needs: everything else about the rows can be forgotten.

use serde::{Deserialize, Serialize};

use super::design::{Design, check_finite, check_rows};
use super::labels::Labels;
use super::members::Members;
use super::rows::{GroupSums, Rows, add_square, blocks, group_rows, mirror};
use crate::{Error, Result};

/// A random part of a model.
#[derive(Debug, Clone, Copy)]
pub enum Random<'a> {
    /// Factors nested in each other, outermost first: one slice of codes each. A single factor is a chain of one.
    Nested(&'a [&'a [u32]]),
    /// One factor to several units of which a row may belong.
    Members(Members<'a>),
}

/// The groups of one level of nesting, in the order of their paths, so that the groups of one parent are neighbours.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Level {
    /// The group's own code, as the caller gave it.
    pub(crate) codes: Vec<u32>,
    /// The index of the parent in the level above; zeros in the outermost level.
    pub(crate) parents: Vec<u32>,
    /// Rows in the group.
    pub(crate) n: Vec<f64>,
}

/// One random part: its units, and the sums over the rows of each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Block {
    /// Outermost to innermost; a membership has one.
    pub(crate) levels: Vec<Level>,
    /// Z'WA for every innermost group, group by group; the first of each is its sum of weights.
    pub(crate) sums: Vec<f64>,
    pub(crate) is_membership: bool,
}

/// Z'WZ between the innermost units of two blocks, or (first = second) of one membership: every pair once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pairs {
    pub(crate) first: usize,
    pub(crate) second: usize,
    /// Unit of the first block, of the second, and the weight they share; sorted. Within one block first <= second.
    pub(crate) entries: Vec<(u32, u32, f64)>,
}

/// Mergeable sufficient statistics of y = X beta + random intercepts + error.
///
/// With A = \[1, x, y\] (values taken from a shift near their means, so that sums of squares of scores around 500 keep
/// their digits) and weights W: the cross products A'WA over all rows, Z'WA for every innermost unit, and, where
/// factors cross or rows belong to several units, Z'WZ for the pairs of units that share rows. Parts of a data set give
/// moments that [`Moments::merge`] into those of the whole (Chan, Golub and `LeVeque` 1983, Am. Stat. 37:242): by the
/// units' labels where they have any ([`Moments::with_labels`]), else by their codes, which then must mean the same in
/// every part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    pub(crate) terms: Vec<String>,
    pub(crate) n_obs: usize,
    /// The sum of log w.
    pub(crate) log_weights: f64,
    /// What was subtracted from every covariate, then from y.
    pub(crate) shift: Vec<f64>,
    /// A'WA, row by row, with A = [1, x - shift, y - shift].
    pub(crate) gram: Vec<f64>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) pairs: Vec<Pairs>,
    /// What the outcome is called; empty where nothing was said.
    pub(crate) outcome: String,
    /// What the codes of every column of codes stand for, block by block; empty where nothing was said.
    pub(crate) labels: Vec<Labels>,
}

impl Moments {
    /// The moments of rows: `y` is the outcome, `levels` the codes of nested grouping factors, outermost first.
    ///
    /// A group is its whole path: the code 0 in two different parents is two groups. No value may be missing.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for columns of different lengths and outcomes that are not finite; [`Error::TooFew`]
    /// without a row or without a factor.
    pub fn new(design: &Design, y: &[f64], levels: &[&[u32]]) -> Result<Self> {
        Self::of_rows(design, y, levels, |_| true)
    }

    /// The moments of rows under any number of random parts, crossed with each other.
    ///
    /// `weights` are those of precision: the error variance of a row is sigma^2 / w. Rows of weight 0 do not count.
    /// A code is one unit wherever it occurs, except within the factors around it.
    ///
    /// # Errors
    /// As [`Moments::new`]; [`Error::InvalidValue`] for weights that are negative or not finite, and for shares of a
    /// membership that do not sum to 1, naming the rows.
    pub fn of_model(design: &Design, y: &[f64], random: &[Random], weights: Option<&[f64]>) -> Result<Self> {
        Self::of(design, y, random, weights, |_| true)
    }

    /// The moments of the rows for which `is_kept` holds; groups without such a row are not there.
    pub(crate) fn of_rows(
        design: &Design,
        y: &[f64],
        levels: &[&[u32]],
        is_kept: impl Fn(usize) -> bool + Copy,
    ) -> Result<Self> {
        Self::of(design, y, &[Random::Nested(levels)], None, is_kept)
    }

    fn of(
        design: &Design,
        y: &[f64],
        random: &[Random],
        weights: Option<&[f64]>,
        is_kept: impl Fn(usize) -> bool + Copy,
    ) -> Result<Self> {
        let n_rows = design.n_rows();
        if random.is_empty() || random.iter().any(|r| matches!(r, Random::Nested(levels) if levels.is_empty())) {
            return Err(too_few("a mixed model", "1 grouping factor", 0, "name the factor whose units differ"));
        }
        if n_rows == 0 {
            return Err(no_rows());
        }
        check_rows("outcome", y.len(), n_rows)?;
        check_finite("outcome", y)?;
        if let Some(weights) = weights {
            check_rows("weights", weights.len(), n_rows)?;
            check_weights(weights)?;
        }
        let rows = Rows::new(design, y, weights);
        let counts = |row: usize| is_kept(row) && rows.weight(row) > 0.0;
        let mut belonging = Vec::with_capacity(random.len());
        for part in random {
            belonging.push(Belonging::new(part, n_rows, counts)?);
        }
        let width = rows.width();
        let mut gram = vec![0.0; width * width];
        // Block by block: the squares of scores with few values round the same way over and over, and in one long sum
        // that adds up.
        let mut of_block = gram.clone();
        let mut totals: Vec<GroupSums> = belonging.iter().map(|b| GroupSums::zeros(b.n_units(), width)).collect();
        let (mut n_obs, mut log_weights) = (0, 0.0);
        for block in blocks(n_rows) {
            of_block.fill(0.0);
            for (belonging, totals) in belonging.iter().zip(&totals) {
                totals.fetch(belonging.groups(&block));
            }
            rows.visit(block, is_kept, |i, weight, row| {
                n_obs += 1;
                if weights.is_some() {
                    log_weights += weight.ln();
                }
                add_square(&mut of_block, row, weight);
                for (belonging, totals) in belonging.iter().zip(&mut totals) {
                    belonging.each(i, |unit, share| totals.add(unit, share * weight, row));
                }
            });
            gram.iter_mut().zip(&of_block).for_each(|(sum, part)| *sum += part);
        }
        if n_obs == 0 {
            return Err(no_rows());
        }
        mirror(&mut gram, width);
        let mut blocks = Vec::with_capacity(random.len());
        let mut places = Vec::with_capacity(random.len());
        for (belonging, totals) in belonging.iter().zip(totals) {
            let (block, place) =
                Block::assemble(belonging.depth, belonging.is_membership(), &belonging.paths, &totals, width);
            blocks.push(block);
            places.push(place);
        }
        let mut pairs = Vec::new();
        for (second, b) in belonging.iter().enumerate() {
            for (first, a) in belonging.iter().enumerate().take(second + 1) {
                if first != second || b.is_membership() {
                    let entries =
                        shared(a, b, first == second, n_rows, |i| if counts(i) { rows.weight(i) } else { 0.0 });
                    let place = |block: usize| places.get(block).map_or(&[][..], Vec::as_slice);
                    pairs.push(Pairs {
                        first,
                        second,
                        entries: merged_entries(entries, first == second, place(first), place(second)),
                    });
                }
            }
        }
        let shift = rows.shift;
        Ok(Self {
            terms: design.terms().to_vec(),
            n_obs,
            log_weights,
            shift,
            gram,
            blocks,
            pairs,
            outcome: String::new(),
            labels: vec![],
        })
    }

    /// The moments of nested groups of rows without weights, given in any order: their paths, outermost code first, and
    /// their sums of A.
    pub(super) fn of_groups(
        terms: Vec<String>,
        shift: Vec<f64>,
        gram: Vec<f64>,
        depth: usize,
        paths: &[u32],
        sums: Vec<f64>,
    ) -> Self {
        let width = shift.len() + 1;
        let n: Vec<f64> = sums.chunks_exact(width).filter_map(|group| group.first().copied()).collect();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count of rows
        let n_obs = n.iter().sum::<f64>() as usize;
        let (block, _) = Block::assemble(depth, false, paths, &GroupSums { sums, n }, width);
        Self {
            terms,
            n_obs,
            log_weights: 0.0,
            shift,
            gram,
            blocks: vec![block],
            pairs: vec![],
            outcome: String::new(),
            labels: vec![],
        }
    }

    /// The moments of both parts together.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] when the parts have other terms or factors, or only one has labels.
    pub fn merge(&self, other: &Self) -> Result<Self> {
        let shape = |m: &Self| m.blocks.iter().map(|b| (b.levels.len(), b.is_membership)).collect::<Vec<_>>();
        let names = |m: &Self| m.labels.iter().map(|l| (l.factor.clone(), l.kind.clone())).collect::<Vec<_>>();
        if self.outcome != other.outcome
            || self.terms != other.terms
            || shape(self) != shape(other)
            || names(self) != names(other)
        {
            let told = |m: &Self| format!("{:?} by {:?} with factors {:?}", m.outcome, m.terms, names(m));
            return Err(Error::InvalidValue {
                what: "moments to be merged".into(),
                found: format!("{} and {}", told(self), told(other)),
                remedy: "give both parts the same covariates, levels and factors".into(),
            });
        }
        let (first, second) = self.with_shared_labels(other);
        let weight = |m: &Self| m.gram.first().copied().unwrap_or(0.0);
        let (n, m) = (weight(self), weight(other));
        let shift: Vec<f64> = self.shift.iter().zip(&other.shift).map(|(a, b)| (a * n + b * m) / (n + m)).collect();
        let (first, second) = (first.shifted(&shift), second.shifted(&shift));
        let gram = first.gram.iter().zip(&second.gram).map(|(a, b)| a + b).collect();
        let width = self.width();
        let mut blocks = Vec::new();
        let mut places = Vec::new();
        for (a, b) in first.blocks.iter().zip(&second.blocks) {
            let paths = [a.paths(), b.paths()].concat();
            let n = |block: &Block| block.levels.last().map(|l| l.n.clone()).unwrap_or_default();
            let totals = GroupSums { sums: [a.sums.as_slice(), &b.sums].concat(), n: [n(a), n(b)].concat() };
            let (block, place) = Block::assemble(a.levels.len(), a.is_membership, &paths, &totals, width);
            places.push((place, n(a).len()));
            blocks.push(block);
        }
        let pairs = first.pairs.iter().zip(&second.pairs).map(|(a, b)| {
            let place = |block: usize| places.get(block).map_or((&[][..], 0), |(p, n)| (p.as_slice(), *n));
            let ((to_first, n_first), (to_second, n_second)) = (place(a.first), place(a.second));
            let moved = |unit: u32, by: usize| unit + u32::try_from(by).unwrap_or(0);
            let others = b.entries.iter().map(|&(i, j, w)| (moved(i, n_first), moved(j, n_second), w));
            let entries = a.entries.iter().copied().chain(others).collect();
            Pairs { entries: merged_entries(entries, a.first == a.second, to_first, to_second), ..*a }
        });
        Ok(Self {
            terms: self.terms.clone(),
            n_obs: self.n_obs + other.n_obs,
            log_weights: self.log_weights + other.log_weights,
            shift,
            gram,
            pairs: pairs.collect(),
            blocks,
            outcome: self.outcome.clone(),
            labels: first.labels.clone(),
        })
    }

    /// The same moments with a name for the outcome: only those of one outcome merge.
    #[must_use]
    pub fn with_outcome(mut self, outcome: &str) -> Self {
        outcome.clone_into(&mut self.outcome);
        self
    }

    /// What the outcome is called; empty where nothing was said.
    pub fn outcome(&self) -> &str {
        &self.outcome
    }

    /// Whether a row may belong to several units of a factor.
    pub fn is_membership(&self, level: usize) -> bool {
        self.blocks.iter().flat_map(|b| b.levels.iter().map(|_| b.is_membership)).nth(level).unwrap_or(false)
    }

    /// How many factors stand around a level.
    pub fn depth(&self, level: usize) -> usize {
        self.blocks.iter().flat_map(|b| 0..b.levels.len()).nth(level).unwrap_or(0)
    }

    /// Rows behind the moments.
    pub fn n_obs(&self) -> usize {
        self.n_obs
    }

    /// The names of the fixed terms, the intercept first.
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// How many grouping factors there are, those around others included.
    pub fn n_levels(&self) -> usize {
        self.blocks.iter().map(|b| b.levels.len()).sum()
    }

    /// How many groups there are at a level; 0 is the outermost of the first random part.
    pub fn n_groups(&self, level: usize) -> usize {
        self.levels().nth(level).map_or(0, |l| l.codes.len())
    }

    /// The levels of all blocks, in the order of theta.
    pub(crate) fn levels(&self) -> impl Iterator<Item = &Level> {
        self.blocks.iter().flat_map(|b| &b.levels)
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
        let n = totals.first().copied().unwrap_or(0.0);
        let mut moved = self.clone();
        shift.clone_into(&mut moved.shift);
        for ((row, &s), &t) in moved.gram.chunks_exact_mut(width).zip(&step).zip(&totals) {
            for ((cell, &s2), &t2) in row.iter_mut().zip(&step).zip(&totals) {
                *cell += s * t2 + t * s2 + n * s * s2;
            }
        }
        for block in &mut moved.blocks {
            for group in block.sums.chunks_exact_mut(width) {
                let count = group.first().copied().unwrap_or(0.0);
                for (sum, s) in group.iter_mut().zip(&step) {
                    *sum += count * s;
                }
            }
        }
        moved
    }
}

/// Where the rows belong in one random part.
struct Belonging {
    units: Units,
    /// The codes of every unit, outermost first.
    paths: Vec<u32>,
    depth: usize,
}

enum Units {
    One(Vec<u32>),
    Several(super::members::Shares),
}

impl Belonging {
    fn new(part: &Random, n_rows: usize, counts: impl Fn(usize) -> bool) -> Result<Self> {
        match part {
            Random::Nested(levels) => {
                for codes in *levels {
                    check_rows("grouping factor", codes.len(), n_rows)?;
                }
                let (groups, paths) = group_rows(n_rows, levels);
                Ok(Self { units: Units::One(groups), paths, depth: levels.len() })
            }
            Random::Members(members) => {
                let mut shares = members.shares(n_rows, counts)?;
                let paths = shares.renumber();
                Ok(Self { units: Units::Several(shares), paths, depth: 1 })
            }
        }
    }

    fn n_units(&self) -> usize {
        self.paths.len() / self.depth.max(1)
    }

    fn is_membership(&self) -> bool {
        matches!(self.units, Units::Several(_))
    }

    /// The groups of a block of rows, where a row has one.
    fn groups(&self, rows: &std::ops::Range<usize>) -> &[u32] {
        match &self.units {
            Units::One(groups) => groups.get(rows.clone()).unwrap_or_default(),
            Units::Several(_) => &[],
        }
    }

    #[inline]
    fn each(&self, row: usize, mut with: impl FnMut(u32, f64)) {
        match &self.units {
            Units::One(groups) => {
                if let Some(&group) = groups.get(row) {
                    with(group, 1.0);
                }
            }
            Units::Several(shares) => {
                for &(unit, share) in shares.of(row) {
                    with(unit, share);
                }
            }
        }
    }
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
fn merged_entries(
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

impl Block {
    /// The path of every innermost group, outermost code first.
    pub(crate) fn paths(&self) -> Vec<u32> {
        let groups = self.levels.last().map_or(0, |l| l.codes.len());
        (0..groups).flat_map(|group| path(&self.levels, group)).collect()
    }

    /// Lays groups, in any order and possibly repeated, out in the order of their paths; says where each went.
    fn assemble(
        depth: usize,
        is_membership: bool,
        paths: &[u32],
        totals: &GroupSums,
        width: usize,
    ) -> (Self, Vec<u32>) {
        let groups = paths.chunks_exact(depth).zip(totals.sums.chunks_exact(width)).zip(&totals.n);
        let mut order: Vec<(&[u32], usize, &[f64], f64)> =
            groups.enumerate().map(|(group, ((path, sum), n))| (path, group, sum, *n)).collect();
        order.sort_by_key(|(path, ..)| *path);
        let mut place = vec![u32::MAX; order.len()];
        let mut levels = vec![Level::default(); depth];
        let mut sorted: Vec<f64> = Vec::with_capacity(totals.sums.len());
        let mut last: Option<&[u32]> = None;
        for (path, group, sum, n) in order {
            if n == 0.0 {
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
            for level in &mut levels {
                if let Some(rows) = level.n.last_mut() {
                    *rows += n;
                }
            }
            if let (Some(cell), Some(level)) = (place.get_mut(group), levels.last()) {
                *cell = u32::try_from(level.codes.len() - 1).unwrap_or(u32::MAX);
            }
        }
        (Self { levels, sums: sorted, is_membership }, place)
    }
}

/// The codes from the outermost level down to a group of the last of `levels`.
pub(crate) fn path<L: std::borrow::Borrow<Level>>(levels: &[L], group: usize) -> Vec<u32> {
    let mut codes = Vec::with_capacity(levels.len());
    let mut at = group;
    for level in levels.iter().map(std::borrow::Borrow::borrow).rev() {
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

fn check_weights(weights: &[f64]) -> Result<()> {
    match weights.iter().enumerate().find(|(_, w)| !(w.is_finite() && **w >= 0.0)) {
        None => Ok(()),
        Some((row, weight)) => Err(Error::InvalidValue {
            what: "the weights".into(),
            found: format!("{weight} in row {row}"),
            remedy: "give finite weights of 0 or more: the error variance of a row is sigma^2 / weight".into(),
        }),
    }
}

fn no_rows() -> Error {
    too_few("a mixed model", "1 row", 0, "check which rows were left out")
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
        let block = &moments.blocks[0];
        assert_eq!(block.levels[0].codes, [3, 7]);
        assert_eq!(block.levels[0].n, [3.0, 3.0]);
        assert_eq!(block.levels[1].codes, [0, 1, 0, 1]);
        assert_eq!(block.levels[1].parents, [0, 0, 1, 1]);
        assert_eq!(block.levels[1].n, [2.0, 1.0, 1.0, 2.0]);
        // Sums of y about 3.5.
        let sums: Vec<f64> = block.sums.chunks_exact(2).map(|s| s[1]).collect();
        assert_eq!(sums, [2.0, 0.5, -2.5, 0.0]);
        assert_eq!(path(&block.levels, 2), [7, 0]);
    }

    #[test]
    fn sparse_codes_need_no_table() {
        let design = Design::new(3, &[]).unwrap();
        let moments = Moments::new(&design, &[1.0, 2.0, 4.0], &[&[4_000_000_000, 5, 4_000_000_000]]).unwrap();
        assert_eq!(moments.blocks[0].levels[0].codes, [5, 4_000_000_000]);
        assert_eq!(moments.blocks[0].levels[0].n, [1.0, 2.0]);
    }

    #[test]
    fn many_rows_of_few_values_keep_their_digits() {
        // Ratings from 1 to 5: the same square again and again, which rounds the same way every time.
        let ratings: Vec<u32> = (0..1_000_003_u32).map(|i| 1 + i % 101 * 37 % 5).collect();
        let y: Vec<f64> = ratings.iter().copied().map(f64::from).collect();
        let group: Vec<u32> = (0..1_000_003).map(|i| i % 1000).collect();
        let moments = Moments::new(&Design::new(y.len(), &[]).unwrap(), &y, &[&group]).unwrap();
        // n sum y^2 - (sum y)^2 in whole numbers.
        let (n, sum) = (ratings.len() as u128, ratings.iter().map(|y| u128::from(*y)).sum::<u128>());
        let squares: u128 = ratings.iter().map(|y| u128::from(*y * *y)).sum();
        let exact = (n * squares - sum * sum) as f64 / n as f64;
        let found = moments.gram[3];
        // Some 8,000 blocks of 128 rows each round once more; in one long sum it would be 9e-12.
        assert!((found / exact - 1.0).abs() < 1e-13, "{:e}", found / exact - 1.0);
    }

    #[test]
    fn pairs_are_those_of_the_rows() {
        let design = Design::new(4, &[]).unwrap();
        let members = Members {
            codes: &[&[9, 4, 9, 4], &[4, Members::NONE, 4, 9]],
            weights: &[&[0.5, 1.0, 0.25, 0.5], &[0.5, 0.0, 0.75, 0.5]],
            normalize: false,
        };
        let random = [Random::Nested(&[&[2, 2, 1, 1]]), Random::Members(members)];
        let m = Moments::of_model(&design, &[1.0, 2.0, 3.0, 4.0], &random, Some(&[1.0, 2.0, 4.0, 0.0])).unwrap();
        assert_eq!(m.n_obs, 3);
        assert_eq!(m.blocks[1].levels[0].codes, [4, 9]);
        // Group 1 holds row 2 (weight 4), group 2 rows 0 and 1.
        assert_eq!(m.pairs[0].entries, [(0, 0, 3.0), (0, 1, 1.0), (1, 0, 2.5), (1, 1, 0.5)]);
        assert_eq!(m.pairs[1].entries, [(0, 0, 0.25 + 2.0 + 4.0 * 0.5625), (0, 1, 0.25 + 0.75), (1, 1, 0.25 + 0.25)]);
        assert!((m.log_weights - 8_f64.ln()).abs() < 1e-15);
    }
}
