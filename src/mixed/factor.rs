//! Cholesky factors of a symmetric matrix, dense or sparse, and the entries of its inverse that are needed.

// Indices come from the pattern they were built with, and are checked against it once.
#![allow(clippy::indexing_slicing)]

use std::sync::Arc;

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::sparse::linalg::SupernodalThreshold;
use faer::sparse::linalg::cholesky::{
    CholeskySymbolicParams, LltRef, SymbolicCholesky, SymbolicCholeskyRaw, SymmetricOrdering,
    factorize_symbolic_cholesky,
};
use faer::sparse::{SparseColMatRef, SymbolicSparseColMatRef};
use faer::{Conj, Mat, Par, Side};

use super::spare::Spare;
use crate::{Error, Result};

/// A sparse factor with more entries than this would take gigabytes.
const MOST_ENTRIES: usize = 1 << 27;

/// The lower triangle of a sparse symmetric matrix by columns, rows sorted, the diagonal always there.
#[derive(Debug, Clone, Default)]
pub(super) struct Pattern {
    pub(super) starts: Vec<usize>,
    pub(super) rows: Vec<usize>,
}

/// The order and the places of a sparse factor, found once for all values.
#[derive(Debug)]
pub(super) struct Symbolic {
    pattern: Pattern,
    cholesky: SymbolicCholesky<usize>,
}

/// B = L L'.
#[derive(Debug, Clone)]
pub(super) enum Factor {
    /// L, with zeros above.
    Dense(Mat<f64>),
    Sparse {
        symbolic: Arc<Symbolic>,
        values: Vec<f64>,
    },
}

/// Entries of B^-1: the lower triangle, or those in the places of the factor.
pub(super) enum Inverse {
    Dense(Mat<f64>),
    Sparse { symbolic: Arc<Symbolic>, values: Vec<f64> },
}

fn failed(problem: &str) -> Error {
    Error::Numerical { what: "the factor of the random effects".into(), problem: problem.into() }
}

impl Symbolic {
    pub(super) fn new(pattern: Pattern) -> Result<Arc<Self>> {
        let n = pattern.starts.len() - 1;
        let matrix = SymbolicSparseColMatRef::new_checked(n, n, &pattern.starts, None, &pattern.rows);
        let params = CholeskySymbolicParams {
            // Column by column, so that the diagonal and the selected inverse can be read from the factor.
            supernodal_flop_ratio_threshold: SupernodalThreshold::FORCE_SIMPLICIAL,
            ..Default::default()
        };
        let cholesky = factorize_symbolic_cholesky(matrix, Side::Lower, SymmetricOrdering::Amd, params)
            .map_err(|e| failed(&format!("{e:?}")))?;
        if cholesky.len_val() > MOST_ENTRIES {
            return Err(Error::InvalidValue {
                what: "the crossed factors".into(),
                found: format!("units so entangled that their factor has {} entries", cholesky.len_val()),
                remedy: "fit parts of the data, such as one district or subject at a time".into(),
            });
        }
        Ok(Arc::new(Self { pattern, cholesky }))
    }

    pub(super) fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Columns and rows of the factor.
    fn layout(&self) -> Result<(&[usize], &[usize])> {
        match self.cholesky.raw() {
            SymbolicCholeskyRaw::Simplicial(s) => Ok((s.col_ptr(), s.row_idx())),
            SymbolicCholeskyRaw::Supernodal(_) => Err(failed("its layout is not by columns")),
        }
    }

    /// New place of an old index, and old index of a new place.
    fn order(&self) -> (Vec<usize>, Vec<usize>) {
        match self.cholesky.perm() {
            Some(perm) => {
                let (old, new) = perm.arrays();
                (new.to_vec(), old.to_vec())
            }
            None => ((0..self.cholesky.nrows()).collect(), (0..self.cholesky.nrows()).collect()),
        }
    }
}

impl Factor {
    /// Of a matrix whose lower triangle is given, with zeros above; the factor takes its place.
    #[allow(clippy::default_trait_access)] // faer's settings as they come
    pub(super) fn dense(mut matrix: Mat<f64>) -> Result<Self> {
        let scratch = cholesky_in_place_scratch::<f64>(matrix.nrows(), Par::Seq, Default::default());
        let mut buffer = MemBuffer::try_new(scratch).map_err(|_| failed("out of memory"))?;
        let stack = MemStack::new(&mut buffer);
        cholesky_in_place(matrix.as_mut(), Default::default(), Par::Seq, stack, Default::default())
            .map_err(|_| failed("it is not positive definite"))?;
        Ok(Self::Dense(matrix))
    }

    #[allow(clippy::default_trait_access)] // faer's settings as they come
    pub(super) fn sparse(symbolic: &Arc<Symbolic>, entries: &[f64]) -> Result<Self> {
        let n = symbolic.cholesky.nrows();
        let places = SymbolicSparseColMatRef::new_checked(n, n, &symbolic.pattern.starts, None, &symbolic.pattern.rows);
        let matrix = SparseColMatRef::new(places, entries);
        let mut values = vec![0.0; symbolic.cholesky.len_val()];
        let scratch = symbolic.cholesky.factorize_numeric_llt_scratch::<f64>(Par::Seq, Default::default());
        let mut buffer = MemBuffer::try_new(scratch).map_err(|_| failed("out of memory"))?;
        symbolic
            .cholesky
            .factorize_numeric_llt(
                &mut values,
                matrix,
                Side::Lower,
                Default::default(),
                Par::Seq,
                MemStack::new(&mut buffer),
                Default::default(),
            )
            .map_err(|_| failed("it is not positive definite"))?;
        Ok(Self::Sparse { symbolic: Arc::clone(symbolic), values })
    }

    pub(super) fn put_into(self, spare: &Spare) {
        if let Self::Dense(l) = self {
            spare.put(l);
        }
    }

    pub(super) fn log_det(&self) -> Result<f64> {
        Ok(match self {
            Self::Dense(l) => (0..l.nrows()).map(|k| 2.0 * l[(k, k)].ln()).sum(),
            Self::Sparse { symbolic, values } => {
                let (starts, _) = symbolic.layout()?;
                starts.iter().take(starts.len() - 1).map(|&first| 2.0 * values[first].ln()).sum()
            }
        })
    }

    /// B^-1 times the columns of `right`.
    pub(super) fn solve(&self, right: &Mat<f64>) -> Result<Mat<f64>> {
        match self {
            Self::Dense(l) => {
                let mut solution = right.clone();
                solve_lower_triangular_in_place(l.as_ref(), solution.as_mut(), Par::Seq);
                solve_upper_triangular_in_place(l.transpose(), solution.as_mut(), Par::Seq);
                Ok(solution)
            }
            Self::Sparse { symbolic, values } => {
                let mut solution = right.clone();
                let scratch = symbolic.cholesky.solve_in_place_scratch::<f64>(right.ncols(), Par::Seq);
                let mut buffer = MemBuffer::try_new(scratch).map_err(|_| failed("out of memory"))?;
                LltRef::new(&symbolic.cholesky, values).solve_in_place_with_conj(
                    Conj::No,
                    solution.as_mut(),
                    Par::Seq,
                    MemStack::new(&mut buffer),
                );
                Ok(solution)
            }
        }
    }

    /// B^-1 in the places of the factor (Takahashi, Fagan & Chen 1973; Erisman & Tinney 1975, CACM 18:177).
    pub(super) fn inverse(&self, spare: &Spare) -> Result<Inverse> {
        match self {
            Self::Dense(l) => {
                let mut inverse = spare.take(l.nrows());
                invert_lower_triangular(inverse.as_mut(), l.as_ref(), Par::Seq);
                square_in_place(&mut inverse);
                Ok(Inverse::Dense(inverse))
            }
            Self::Sparse { symbolic, values } => {
                let (starts, rows) = symbolic.layout()?;
                let n = starts.len() - 1;
                let mut z = vec![0.0; values.len()];
                let (mut l, mut y) = (vec![0.0; n], vec![0.0; n]);
                for j in (0..n).rev() {
                    let below = starts[j] + 1..starts[j + 1];
                    for e in below.clone() {
                        (l[rows[e]], y[rows[e]]) = (values[e], 0.0);
                    }
                    for e in below.clone() {
                        let k = rows[e];
                        let mut own = l[k] * z[starts[k]];
                        for f in starts[k] + 1..starts[k + 1] {
                            own += l[rows[f]] * z[f];
                            y[rows[f]] += values[e] * z[f];
                        }
                        y[k] += own;
                    }
                    let pivot = 1.0 / values[starts[j]];
                    let mut diagonal = pivot;
                    for e in below {
                        z[e] = -pivot * y[rows[e]];
                        diagonal -= values[e] * z[e];
                        l[rows[e]] = 0.0;
                    }
                    z[starts[j]] = pivot * diagonal;
                }
                Ok(Inverse::Sparse { symbolic: Arc::clone(symbolic), values: z })
            }
        }
    }
}

/// Lower triangular W becomes the lower triangle of W'W: its rows from the first on, each of which needs only itself and
/// those below.
fn square_in_place(w: &mut Mat<f64>) {
    const ROWS: usize = 64;
    let n = w.nrows();
    for from in (0..n).step_by(ROWS) {
        let to = (from + ROWS).min(n);
        let product = w.get(from.., from..to).transpose() * w.get(from.., ..to);
        for j in 0..to {
            for i in from.max(j)..to {
                w[(i, j)] = product[(i - from, j)];
            }
        }
    }
}

/// Rows of a sparse matrix: row g has the columns `columns[starts[g]..starts[g + 1]]`, sorted.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists {
    pub(super) starts: Vec<usize>,
    pub(super) columns: Vec<u32>,
}

impl Lists {
    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.starts[row]..self.starts[row + 1]
    }

    /// For every column: which rows have it, and the place of the entry.
    pub(super) fn by_column(&self, n_columns: usize) -> (Vec<usize>, Vec<(u32, usize)>) {
        let mut starts = vec![0; n_columns + 1];
        for &c in &self.columns {
            starts[c as usize + 1] += 1;
        }
        for c in 0..n_columns {
            starts[c + 1] += starts[c];
        }
        let mut next = starts.clone();
        let mut entries = vec![(0, 0); self.columns.len()];
        for (row, number) in (0..self.len()).zip(0_u32..) {
            for e in self.range(row) {
                let slot = &mut next[self.columns[e] as usize];
                entries[*slot] = (number, e);
                *slot += 1;
            }
        }
        (starts, entries)
    }
}

impl Inverse {
    pub(super) fn put_into(self, spare: &Spare) {
        if let Self::Dense(inverse) = self {
            spare.put(inverse);
        }
    }

    pub(super) fn diagonal(&self) -> Result<Vec<f64>> {
        Ok(match self {
            Self::Dense(inverse) => (0..inverse.nrows()).map(|k| inverse[(k, k)]).collect(),
            Self::Sparse { symbolic, values } => {
                let (starts, _) = symbolic.layout()?;
                let (new, _) = symbolic.order();
                new.iter().map(|&place| values[starts[place]]).collect()
            }
        })
    }

    /// c'B^-1 c for every row of coefficients c, whose columns must share an entry of B pair by pair.
    pub(super) fn forms(&self, lists: &Lists, coefficients: &[f64]) -> Result<Vec<f64>> {
        let mut forms = vec![0.0; lists.len()];
        match self {
            Self::Dense(inverse) => {
                for (row, form) in forms.iter_mut().enumerate() {
                    let range = lists.range(row);
                    for e in range.clone() {
                        let column = inverse.col(lists.columns[e] as usize);
                        let mut sum = 0.5 * coefficients[e] * column[lists.columns[e] as usize];
                        for f in e + 1..range.end {
                            sum += coefficients[f] * column[lists.columns[f] as usize];
                        }
                        *form += 2.0 * coefficients[e] * sum;
                    }
                }
            }
            Self::Sparse { symbolic, values } => {
                let (starts, rows) = symbolic.layout()?;
                let (new, old) = symbolic.order();
                let (column_starts, entries) = lists.by_column(new.len());
                // Stale values stay in `column`; they are never read, for every pair of a row is in the pattern.
                let mut column = vec![0.0; new.len()];
                for (place, &j) in old.iter().enumerate() {
                    if column_starts[j] == column_starts[j + 1] {
                        continue;
                    }
                    for e in starts[place]..starts[place + 1] {
                        column[old[rows[e]]] = values[e];
                    }
                    for &(row, e) in &entries[column_starts[j]..column_starts[j + 1]] {
                        let row = row as usize;
                        let mut sum = 0.5 * coefficients[e] * column[j];
                        for f in lists.range(row) {
                            let other = lists.columns[f] as usize;
                            if new[other] > place {
                                sum += coefficients[f] * column[other];
                            }
                        }
                        forms[row] += 2.0 * coefficients[e] * sum;
                    }
                }
            }
        }
        Ok(forms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparse_and_dense_agree() {
        // A chain of units with one link across, so that the factor fills in.
        let n = 7;
        let link = |i: usize, j: usize| i == j || i == j + 1 || (i, j) == (6, 0);
        let value = |i: usize, j: usize| if i == j { 4.0 + i as f64 } else { -1.0 - 0.1 * (i + j) as f64 };
        let (mut pattern, mut entries) = (Pattern { starts: vec![0], rows: vec![] }, vec![]);
        for j in 0..n {
            for i in (j..n).filter(|&i| link(i, j)) {
                pattern.rows.push(i);
                entries.push(value(i, j));
            }
            pattern.starts.push(pattern.rows.len());
        }
        let full = Mat::from_fn(n, n, |i, j| if link(i.max(j), i.min(j)) { value(i.max(j), i.min(j)) } else { 0.0 });
        let lower = Mat::from_fn(n, n, |i, j| if i < j { 0.0 } else { full[(i, j)] });
        let dense = Factor::dense(lower).unwrap();
        let sparse = Factor::sparse(&Symbolic::new(pattern).unwrap(), &entries).unwrap();
        assert!((dense.log_det().unwrap() - sparse.log_det().unwrap()).abs() < 1e-12);
        let right = Mat::from_fn(n, 2, |i, j| (i * 3 + j) as f64);
        let (a, b) = (dense.solve(&right).unwrap(), sparse.solve(&right).unwrap());
        assert!((&a - &b).norm_max() < 1e-12);
        assert!((&full * &a - &right).norm_max() < 1e-12);
        let spare = Spare::default();
        // What stands below the diagonal of a spare matrix does not matter.
        spare.put(Mat::from_fn(n, n, |i, j| if i < j { 0.0 } else { f64::NAN }));
        let (a, b) = (dense.inverse(&spare).unwrap(), sparse.inverse(&spare).unwrap());
        for (x, y) in a.diagonal().unwrap().iter().zip(b.diagonal().unwrap()) {
            assert!((x - y).abs() < 1e-13);
        }
        let lists = Lists { starts: vec![0, 2, 4, 5, 7], columns: vec![0, 6, 2, 3, 5, 4, 5] };
        let c = [1.0, -2.0, 0.5, 3.0, 1.5, 2.0, -1.0];
        for (x, y) in a.forms(&lists, &c).unwrap().iter().zip(b.forms(&lists, &c).unwrap()) {
            assert!((x - y).abs() < 1e-12, "{x} {y}");
        }
    }
}
