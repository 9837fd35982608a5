//! The columns of X as a search likes them: about 0, of size 1, none a combination of those before it.

use faer::Mat;

use super::design::Design;

/// A pivot below this share of its column's own sum of squares counts as nothing left (a multiple correlation beyond
/// 1 - 5e-13).
const RANK_TOLERANCE: f64 = 1e-12;
/// A column whose values differ by less than this share of their size (squared) is a constant.
const CONSTANT_TOLERANCE: f64 = 1e-24;

/// What was done to the columns of X, the intercept first: the terms that stayed, and how to undo the rest.
#[derive(Debug, Clone)]
pub(super) struct Basis {
    /// Which terms of the design are kept, in order.
    pub(super) kept: Vec<usize>,
    pub(super) dropped: Vec<usize>,
    /// What was subtracted from every kept column, and what it was divided by.
    pub(super) shift: Vec<f64>,
    pub(super) scale: Vec<f64>,
}

impl Basis {
    /// From the cross products of \[1, x - shift\], row by row: the first cell is the (weighted) number of rows.
    #[allow(clippy::indexing_slicing)] // every index is below `width`, and `gram` has `width` squared cells
    pub(super) fn of_gram(gram: &[f64], shift: &[f64]) -> Self {
        let width = shift.len() + 1;
        let n = gram.first().copied().unwrap_or(0.0);
        let mut g = gram.to_vec();
        let mut basis = Self { kept: vec![], dropped: vec![], shift: vec![], scale: vec![] };
        for k in 0..width {
            let level = if k == 0 { 0.0 } else { shift[k - 1] };
            let own = gram[k * width + k];
            let pivot = g[k * width + k];
            if !(own > CONSTANT_TOLERANCE * (own + n * level * level) && pivot > RANK_TOLERANCE * own) {
                basis.dropped.push(k);
                continue;
            }
            basis.kept.push(k);
            basis.shift.push(level);
            basis.scale.push(if k == 0 { 1.0 } else { (own / n).sqrt() });
            for i in k + 1..width {
                let factor = g[i * width + k] / pivot;
                for j in k + 1..width {
                    g[i * width + j] -= factor * g[k * width + j];
                }
            }
        }
        basis
    }

    /// From the rows of a design, all weighted alike.
    pub(super) fn of_design(design: &Design) -> Self {
        let n = design.n_rows() as f64;
        let shift: Vec<f64> =
            design.columns().iter().map(|c| (0..design.n_rows()).map(|i| c.at(i)).sum::<f64>() / n).collect();
        let width = shift.len() + 1;
        let mut gram = vec![0.0; width * width];
        let mut row = vec![1.0; width];
        for i in 0..design.n_rows() {
            for ((cell, column), shift) in row.iter_mut().skip(1).zip(design.columns()).zip(&shift) {
                *cell = column.at(i) - shift;
            }
            for (line, &a) in gram.chunks_exact_mut(width).zip(&row) {
                for (cell, &b) in line.iter_mut().zip(&row) {
                    *cell += a * b;
                }
            }
        }
        Self::of_gram(&gram, &shift)
    }

    pub(super) fn n_terms(&self) -> usize {
        self.kept.len()
    }

    /// Writes row `i` of the design into `out`, in this basis.
    pub(super) fn row(&self, design: &Design, i: usize, out: &mut [f64]) {
        for (cell, ((&term, shift), scale)) in out.iter_mut().zip(self.kept.iter().zip(&self.shift).zip(&self.scale)) {
            let column = term.checked_sub(1).and_then(|k| design.columns().get(k));
            *cell = column.map_or(1.0, |c| (c.at(i) - shift) / scale);
        }
    }

    /// The matrix that takes coefficients of this basis to those of the columns as given.
    pub(super) fn undo(&self) -> Mat<f64> {
        let p = self.n_terms();
        let at = |values: &[f64], k: usize| values.get(k).copied().unwrap_or(f64::NAN);
        Mat::from_fn(p, p, |i, j| match (i, j) {
            _ if i == j => 1.0 / at(&self.scale, i),
            (0, j) => -at(&self.shift, j) / at(&self.scale, j),
            _ => 0.0,
        })
    }

    /// Coefficients and their covariance, for the columns as they were given.
    pub(super) fn undone(&self, beta: &[f64], covariance: &Mat<f64>) -> (Vec<f64>, Vec<Vec<f64>>) {
        let undo = self.undo();
        let p = self.n_terms();
        let given = &undo * Mat::from_fn(p, 1, |i, _| beta.get(i).copied().unwrap_or(f64::NAN));
        let vcov = &undo * covariance * undo.transpose();
        let line = |i: usize| (0..p).map(|j| vcov[(i, j)]).collect();
        ((0..p).map(|i| given[(i, 0)]).collect(), (0..p).map(line).collect())
    }

    /// The names of the terms that stayed, and of the others.
    pub(super) fn names(&self, terms: &[String]) -> (Vec<String>, Vec<String>) {
        let pick = |which: &[usize]| which.iter().filter_map(|&k| terms.get(k).cloned()).collect();
        (pick(&self.kept), pick(&self.dropped))
    }
}
