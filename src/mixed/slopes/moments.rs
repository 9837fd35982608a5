//! The sums that a model with slopes needs from its rows.

use serde::{Deserialize, Serialize};

use crate::mixed::design::{Design, check_finite, check_rows};
use crate::mixed::rows::{Rows, TileColumn, mirror};
use crate::mixed::sorted_groups;
use crate::{Error, Result};

/// Mergeable sufficient statistics of y = X beta + Z b + e, Z an intercept and slopes of one factor's units.
///
/// With A = \[1, x, z not among x, y\] (less a shift near the means): A'A over all rows, and Z'A for every unit. Parts
/// of a data set give moments that [`SlopeMoments::merge`] into those of the whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlopeMoments {
    /// The fixed terms, the intercept first.
    pub(super) terms: Vec<String>,
    /// What the columns of Z are called, the intercept first.
    pub(super) columns: Vec<String>,
    /// Where in A each column of Z stands.
    pub(super) places: Vec<usize>,
    pub(super) n_obs: usize,
    /// What was subtracted from every column of A but the first.
    pub(super) shift: Vec<f64>,
    /// A'A, row by row.
    pub(super) gram: Vec<f64>,
    /// The codes of the units, ascending.
    pub(super) codes: Vec<u32>,
    /// Z'A of every unit, unit by unit, row by row; the first cell of each is its number of rows.
    pub(super) sums: Vec<f64>,
}

impl SlopeMoments {
    /// The moments of rows: `slopes` are the covariates whose slopes differ between the units, `codes` the units.
    ///
    /// A slope that bears the name of a fixed term is that term; any other has no fixed part (a mean slope of zero).
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for columns of different lengths and values that are not finite; [`Error::TooFew`]
    /// without a row or a slope; [`Error::InvalidOption`] for a slope that is named twice.
    pub fn new(design: &Design, slopes: &[(&str, &[f64])], y: &[f64], codes: &[u32]) -> Result<Self> {
        let n_rows = design.n_rows();
        check_rows("outcome", y.len(), n_rows)?;
        check_finite("outcome", y)?;
        check_rows("grouping factor", codes.len(), n_rows)?;
        if n_rows == 0 || slopes.is_empty() {
            return Err(Error::TooFew {
                what: "a model with slopes".into(),
                needed: "1 row and 1 slope".into(),
                found: 0,
                remedy: "name the covariates whose slopes differ, and check which rows were left out".into(),
            });
        }
        let mut columns = vec![Design::INTERCEPT.to_owned()];
        let mut places = vec![0];
        let mut extra: Vec<&[f64]> = vec![];
        for &(name, values) in slopes {
            check_rows(name, values.len(), n_rows)?;
            check_finite(name, values)?;
            if columns.iter().any(|c| c == name) {
                return Err(Error::option("slopes", format!("{name:?} twice"), "made of different covariates"));
            }
            places.push(design.terms().iter().position(|t| t == name).unwrap_or_else(|| {
                extra.push(values);
                design.terms().len() + extra.len() - 1
            }));
            columns.push(name.to_owned());
        }
        extra.push(y);
        let rows = Rows::new(design, &extra, None);
        let width = rows.width();
        let groups = sorted_groups(n_rows, &[codes]);
        let mut labels = codes.to_vec();
        labels.sort_unstable();
        labels.dedup();
        let size = places.len() * width;
        let (mut gram, mut sums) = (vec![0.0; width * width], vec![0.0; labels.len() * size]);
        rows.visit(|tile| {
            tile.add_squares(&mut gram);
            for (place, &row) in tile.rows.iter().enumerate() {
                let at = |column: &TileColumn| column.get(place).copied().unwrap_or(f64::NAN);
                let from = groups.get(row).map_or(0, |group| *group as usize) * size;
                let own = sums.get_mut(from..from + size).unwrap_or_default();
                for (line, &z) in own.chunks_exact_mut(width).zip(&places) {
                    let z = tile.columns.get(z).map_or(f64::NAN, at);
                    line.iter_mut().zip(&tile.columns).for_each(|(cell, a)| *cell += z * at(a));
                }
            }
        });
        mirror(&mut gram, width);
        let shift = rows.shift;
        Ok(Self { terms: design.terms().to_vec(), columns, places, n_obs: n_rows, shift, gram, codes: labels, sums })
    }

    /// The moments of both parts together.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] when the parts have other terms or slopes.
    pub fn merge(&self, other: &Self) -> Result<Self> {
        if self.terms != other.terms || self.columns != other.columns {
            return Err(Error::InvalidValue {
                what: "moments to be merged".into(),
                found: format!(
                    "terms {:?} with slopes {:?}, and terms {:?} with slopes {:?}",
                    self.terms, self.columns, other.terms, other.columns
                ),
                remedy: "give both parts the same covariates, levels and slopes".into(),
            });
        }
        let (n, m) = (self.n_obs as f64, other.n_obs as f64);
        let shift: Vec<f64> = self.shift.iter().zip(&other.shift).map(|(a, b)| (a * n + b * m) / (n + m)).collect();
        let (first, second) = (self.shifted(&shift), other.shifted(&shift));
        let size = self.size();
        let mut parts: Vec<(u32, &[f64])> = first.codes.iter().copied().zip(first.sums.chunks_exact(size)).collect();
        parts.extend(second.codes.iter().copied().zip(second.sums.chunks_exact(size)));
        parts.sort_by_key(|(code, _)| *code);
        let (mut codes, mut sums): (Vec<u32>, Vec<f64>) = (vec![], vec![]);
        for (code, part) in parts {
            if codes.last() == Some(&code) {
                let tail = sums.len() - size;
                for (sum, value) in sums.iter_mut().skip(tail).zip(part) {
                    *sum += value;
                }
            } else {
                codes.push(code);
                sums.extend_from_slice(part);
            }
        }
        let gram = first.gram.iter().zip(&second.gram).map(|(a, b)| a + b).collect();
        Ok(Self { n_obs: self.n_obs + other.n_obs, shift, gram, codes, sums, ..self.clone() })
    }

    /// Rows behind the moments.
    pub fn n_obs(&self) -> usize {
        self.n_obs
    }

    /// The number of units.
    pub fn n_groups(&self) -> usize {
        self.codes.len()
    }

    /// The number of columns of A.
    pub(super) fn width(&self) -> usize {
        self.shift.len() + 1
    }

    /// Cells of Z'A.
    pub(super) fn size(&self) -> usize {
        self.places.len() * self.width()
    }

    /// The same moments about other values: (z + s)'(a + t) from z'a and the sums of z and a.
    fn shifted(&self, shift: &[f64]) -> Self {
        let step: Vec<f64> =
            [0.0].into_iter().chain(self.shift.iter().zip(shift).map(|(old, new)| old - new)).collect();
        let mut moved = self.clone();
        moved.shift = shift.to_vec();
        let totals: Vec<f64> = self.gram.iter().take(self.width()).copied().collect();
        let all: Vec<usize> = (0..self.width()).collect();
        shift_block(&mut moved.gram, &totals, &all, &step);
        for block in moved.sums.chunks_exact_mut(self.size()) {
            let totals: Vec<f64> = block.iter().take(self.width()).copied().collect();
            shift_block(block, &totals, &self.places, &step);
        }
        moved
    }
}

/// Rows `places` of a cross product, after each column has moved by its step; `totals` are the columns' sums.
fn shift_block(block: &mut [f64], totals: &[f64], places: &[usize], step: &[f64]) {
    let n = totals.first().copied().unwrap_or(0.0);
    let at = |values: &[f64], k: usize| values.get(k).copied().unwrap_or(0.0);
    for (line, &place) in block.chunks_exact_mut(step.len()).zip(places) {
        let (s, t) = (at(step, place), at(totals, place));
        for ((cell, &s2), &t2) in line.iter_mut().zip(step).zip(totals) {
            *cell += s * t2 + t * s2 + n * s * s2;
        }
    }
}

/// m += a b'.
pub(super) fn outer(m: &mut [f64], a: &[f64], b: &[f64]) {
    for (line, &a) in m.chunks_exact_mut(b.len()).zip(a) {
        for (cell, &b) in line.iter_mut().zip(b) {
            *cell += a * b;
        }
    }
}
