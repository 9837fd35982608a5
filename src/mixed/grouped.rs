//! Cross products group by group: what it takes to fit the model again without some groups, or with more about them.

use super::design::{Design, check_finite, check_rows};
use super::groups::Groups;
use super::moments::Moments;
use crate::{Error, Result};

/// The cross products A'A of every innermost group, A = \[1, x - shift, y - shift\].
///
/// [`Moments`] keep the cross products of all rows together, so no group can be taken out of them. These can: the
/// moments of any choice of groups follow, with further covariates that are constant within a group (what a teacher
/// does, where a school lies), because the cross products of such a covariate are its value times the group's sums.
///
/// ```
/// use brightspot::mixed::{Design, GroupedMoments, Method, Moments, fit};
///
/// let (y, class) = ([3.0, 4.0, 6.0, 8.0, 5.0, 5.5], [0, 0, 1, 1, 2, 2]);
/// let grouped = GroupedMoments::new(&Design::new(6, &[])?, &y, &[&class])?;
/// let without_the_last = grouped.moments(1, &[true, true, false], &[])?;
/// assert_eq!((without_the_last.n_obs(), without_the_last.n_groups(0)), (4, 2));
/// let with_use = grouped.moments(1, &[true; 3], &[("use", &[0.0, 1.0, 0.0])])?;
/// assert_eq!(with_use.terms(), ["(Intercept)", "use"]);
/// # Ok::<(), brightspot::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GroupedMoments {
    terms: Vec<String>,
    /// What was subtracted from every covariate, then from y.
    shift: Vec<f64>,
    n_levels: usize,
    /// The path of every group, outermost code first, in the order of first appearance.
    paths: Vec<u32>,
    /// The upper triangle of A'A of every group, row by row: the first row holds the sums of A.
    triangles: Vec<f64>,
}

impl GroupedMoments {
    /// The cross products of rows, in the groups of all of `levels` together (outermost first).
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for columns of different lengths and outcomes that are not finite; [`Error::TooFew`]
    /// without a row or without a factor.
    pub fn new(design: &Design, y: &[f64], levels: &[&[u32]]) -> Result<Self> {
        let n_rows = design.n_rows();
        if levels.is_empty() || n_rows == 0 {
            return Err(too_few("1 row and 1 grouping factor", n_rows.min(levels.len())));
        }
        check_rows("outcome", y.len(), n_rows)?;
        check_finite("outcome", y)?;
        for codes in levels {
            check_rows("grouping factor", codes.len(), n_rows)?;
        }
        let mean = |sum: f64| sum / n_rows as f64;
        let shift: Vec<f64> =
            design.columns().iter().map(|c| mean(c.sum())).chain(std::iter::once(mean(y.iter().sum()))).collect();
        let Groups { of_row, paths } = Groups::by_appearance(n_rows, levels);
        let width = shift.len() + 1;
        let cells = width * (width + 1) / 2;
        let mut triangles = vec![0.0; paths.len() / levels.len() * cells];
        let mut row = vec![1.0; width];
        for (i, (&y, &group)) in y.iter().zip(&*of_row).enumerate() {
            let values = design.columns().iter().map(|c| c.at(i)).chain([y]);
            for ((cell, value), shift) in row.iter_mut().skip(1).zip(values).zip(&shift) {
                *cell = value - shift;
            }
            let from = group as usize * cells;
            let mut target = triangles.get_mut(from..from + cells).unwrap_or_default().iter_mut();
            for (k, a) in row.iter().enumerate() {
                for (b, cell) in row.iter().skip(k).zip(&mut target) {
                    *cell += a * b;
                }
            }
        }
        Ok(Self { terms: design.terms().to_vec(), shift, n_levels: levels.len(), paths, triangles })
    }

    /// How many groups there are.
    pub fn n_groups(&self) -> usize {
        self.paths.len().checked_div(self.n_levels).unwrap_or(0)
    }

    /// The codes of every group, outermost first.
    pub fn paths(&self) -> impl Iterator<Item = &[u32]> {
        self.paths.chunks_exact(self.n_levels.max(1))
    }

    /// Rows of every group.
    pub fn sizes(&self) -> impl Iterator<Item = f64> {
        self.triangles.chunks_exact(self.n_cells()).map(|t| t.first().copied().unwrap_or(0.0))
    }

    fn width(&self) -> usize {
        self.shift.len() + 1
    }

    fn n_cells(&self) -> usize {
        self.width() * (self.width() + 1) / 2
    }

    /// The moments of the groups that are kept, nested in the outermost `n_levels` factors, with further covariates:
    /// a name, and one value per group (of which those of groups that are not kept do not matter).
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a number of factors that is not there; [`Error::InvalidValue`] for flags or values
    /// of another number of groups, and values that are not finite; [`Error::TooFew`] when no group is kept.
    pub fn moments(&self, n_levels: usize, is_kept: &[bool], columns: &[(&str, &[f64])]) -> Result<Moments> {
        if n_levels == 0 || n_levels > self.n_levels {
            return Err(Error::option("n_levels", n_levels, format!("from 1 to {}", self.n_levels)));
        }
        check_groups("which groups are kept", is_kept.len(), self.n_groups())?;
        for (name, values) in columns {
            check_groups(name, values.len(), self.n_groups())?;
            if let Some((_, v)) = is_kept.iter().zip(*values).find(|(kept, v)| **kept && !v.is_finite()) {
                return Err(Error::InvalidValue {
                    what: format!("the values of {name:?}"),
                    found: format!("{v} for a group that is kept"),
                    remedy: "leave out the groups whose value is not known".into(),
                });
            }
        }
        let n: f64 = self.sizes().zip(is_kept).filter(|(_, kept)| **kept).map(|(n, _)| n).sum();
        if n == 0.0 {
            return Err(too_few("1 group that is kept", 0));
        }
        let means: Vec<f64> = columns
            .iter()
            .map(|(_, values)| {
                self.sizes().zip(is_kept).zip(*values).filter(|((_, k), _)| **k).map(|((n, _), v)| n * v).sum::<f64>()
                    / n
            })
            .collect();
        let (x, y) = self.shift.split_at(self.shift.len().saturating_sub(1));
        let shift: Vec<f64> = x.iter().chain(&means).chain(y).copied().collect();
        let width = shift.len() + 1;
        let (mut gram, mut sums, mut paths) = (vec![0.0; width * width], Vec::new(), Vec::new());
        let mut added = vec![0.0; columns.len()];
        let groups = self.triangles.chunks_exact(self.n_cells()).zip(self.paths()).zip(is_kept).enumerate();
        for (group, ((triangle, path), _)) in groups.filter(|(_, (_, kept))| **kept) {
            for ((value, (_, values)), mean) in added.iter_mut().zip(columns).zip(&means) {
                *value = values.get(group).copied().unwrap_or(f64::NAN) - mean;
            }
            add(&mut gram, &mut sums, triangle, self.width(), &added);
            paths.extend(path.iter().take(n_levels));
        }
        mirror(&mut gram, width);
        let mut terms = self.terms.clone();
        terms.extend(columns.iter().map(|(name, _)| (*name).to_owned()));
        Ok(Moments::of_groups(terms, shift, gram, n_levels, &paths, sums))
    }
}

/// Adds a group with further covariates, whose place is before y: to the upper triangle of the whole and to the sums.
fn add(gram: &mut [f64], sums: &mut Vec<f64>, triangle: &[f64], old: usize, added: &[f64]) {
    let width = old + added.len();
    let place = |k: usize| if k + 1 == old { width - 1 } else { k };
    let own: Vec<f64> = triangle.iter().take(old).copied().collect();
    let n = own.first().copied().unwrap_or(0.0);
    let mut put = |i: usize, j: usize, value: f64| {
        if let Some(cell) = gram.get_mut(i.min(j) * width + i.max(j)) {
            *cell += value;
        }
    };
    let mut cells = triangle.iter();
    for i in 0..old {
        for (j, value) in (i..old).zip(&mut cells) {
            put(place(i), place(j), *value);
        }
    }
    for (k, a) in added.iter().enumerate() {
        for (i, sum) in own.iter().enumerate() {
            put(place(i), old - 1 + k, a * sum);
        }
        for (l, b) in added.iter().enumerate().skip(k) {
            put(old - 1 + k, old - 1 + l, n * a * b);
        }
    }
    let (x, y) = own.split_at(old - 1);
    sums.extend(x);
    sums.extend(added.iter().map(|a| n * a));
    sums.extend(y);
}

/// Copies the upper triangle into the lower.
fn mirror(gram: &mut [f64], width: usize) {
    for i in 0..width {
        for j in 0..i {
            if let Some(value) = gram.get(j * width + i).copied()
                && let Some(cell) = gram.get_mut(i * width + j)
            {
                *cell = value;
            }
        }
    }
}

fn check_groups(what: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::InvalidValue {
        what: what.to_owned(),
        found: format!("{found} values where there are {expected} groups"),
        remedy: "give one value for every group".into(),
    })
}

fn too_few(needed: &str, found: usize) -> Error {
    Error::TooFew {
        what: "a mixed model".into(),
        needed: needed.into(),
        found,
        remedy: "check which rows were left out".into(),
    }
}
