//! The sums a model of random intercepts needs: everything else about the rows can be forgotten.

use serde::{Deserialize, Serialize};

mod belonging;
mod block;
mod merge;
mod pairs;

use belonging::Belonging;
pub(super) use block::path;
pub(crate) use block::{Block, Level};
pub(crate) use pairs::{Pairs, summed};

use super::design::{Design, check_finite, check_rows};
use super::labels::Labels;
use super::members::Members;
use super::rows::{GroupSums, Rows, mirror};
use crate::{Error, Result};

/// A random part of a model.
#[derive(Debug, Clone, Copy)]
pub enum Random<'a> {
    /// Factors nested in each other, outermost first: one slice of codes each. A single factor is a chain of one.
    Nested(&'a [&'a [u32]]),
    /// One factor to several units of which a row may belong.
    Members(Members<'a>),
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
        Self::of_model(design, y, &[Random::Nested(levels)], None)
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
        let rows = Rows::new(design, &[y], weights);
        let mut belonging = Vec::with_capacity(random.len());
        for part in random {
            belonging.push(Belonging::new(part, n_rows, |row| rows.weight(row) > 0.0)?);
        }
        let width = rows.width();
        let mut gram = vec![0.0; width * width];
        let zeros = |b: &Belonging| GroupSums::zeros(b.n_units(), width, weights.is_none() && !b.is_membership());
        let mut totals: Vec<GroupSums> = belonging.iter().map(zeros).collect();
        let (mut n_obs, mut log_weights) = (0, 0.0);
        rows.visit(|tile| {
            n_obs += tile.rows.len();
            if weights.is_some() {
                log_weights += tile.rows.iter().map(|&row| rows.weight(row).ln()).sum::<f64>();
            }
            tile.add_squares(&mut gram);
            for (belonging, totals) in belonging.iter().zip(&mut totals) {
                belonging.add(tile, totals);
            }
        });
        if n_obs == 0 {
            return Err(no_rows());
        }
        mirror(&mut gram, width);
        let mut blocks = Vec::with_capacity(random.len());
        let mut places = Vec::with_capacity(random.len());
        for (belonging, totals) in belonging.iter().zip(totals) {
            let (block, place) = Block::assemble(belonging.depth, belonging.is_membership(), &belonging.paths, totals);
            blocks.push(block);
            places.push(place);
        }
        let pairs = pairs::of_rows(&belonging, &places, n_rows, |row| rows.weight(row));
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
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count of rows
        let n_obs = sums.iter().step_by(width).sum::<f64>() as usize;
        let (block, _) = Block::assemble(depth, false, paths, GroupSums::of_sums(width, sums, vec![]));
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
