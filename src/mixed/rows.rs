//! The rows of a model, tile by tile, and what they add up to: cross products over all rows, and sums by group.

use super::design::{Column, Design};

/// Rows that are handled together: so many that what they wait for in memory comes at the same time, so few that they
/// stay in the cache. Sums over all rows are sums of sums over tiles: the squares of scores with few values round the
/// same way over and over, and in one long sum that adds up.
const TILE: usize = 128;

/// One column of a tile; zeros where the tile has fewer rows.
pub(super) type TileColumn = [f64; TILE];

/// The rows of a model: A = \[1, x - shift, y - shift\] and a weight for each.
pub(super) struct Rows<'a> {
    columns: Vec<Column<'a>>,
    pub(super) shift: Vec<f64>,
    weights: Option<&'a [f64]>,
    height: usize,
}

/// Some of the rows that count, column by column.
pub(super) struct Tile {
    /// Which rows they are.
    pub(super) rows: Vec<usize>,
    /// A.
    pub(super) columns: Vec<TileColumn>,
    /// WA; empty where all weights are 1.
    scaled: Vec<TileColumn>,
}

impl<'a> Rows<'a> {
    /// The columns of a design, then others, the outcome last, about their means.
    pub(super) fn new(design: &Design<'a>, others: &[&'a [f64]], weights: Option<&'a [f64]>) -> Self {
        let others = others.iter().map(|values| Column::Numeric(values));
        let columns: Vec<Column> = design.columns().iter().copied().chain(others).collect();
        let height = design.n_rows();
        let shift = columns.iter().map(|c| c.sum() / height as f64).collect();
        Self { columns, shift, weights, height }
    }

    pub(super) fn width(&self) -> usize {
        self.columns.len() + 1
    }

    /// A row of weight 0 does not count.
    pub(super) fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |w| w.get(row).copied().unwrap_or(0.0))
    }

    /// Visits all rows that count.
    pub(super) fn visit(&self, mut with: impl FnMut(&Tile)) {
        let width = self.width();
        let scaled = if self.weights.is_some() { vec![[0.0; TILE]; width] } else { vec![] };
        let mut tile = Tile { rows: Vec::with_capacity(TILE), columns: vec![[0.0; TILE]; width], scaled };
        for from in (0..self.height).step_by(TILE) {
            let all = from..(from + TILE).min(self.height);
            tile.rows.clear();
            tile.rows.extend(all.filter(|&row| self.weight(row) > 0.0));
            let mut columns = tile.columns.iter_mut();
            if let Some(ones) = columns.next() {
                fill(ones, std::iter::repeat_n(1.0, tile.rows.len()));
            }
            for ((cells, column), shift) in columns.zip(&self.columns).zip(&self.shift) {
                lay_out(cells, *column, &tile.rows, *shift);
            }
            for (scaled, cells) in tile.scaled.iter_mut().zip(&tile.columns) {
                fill(scaled, cells.iter().zip(&tile.rows).map(|(cell, &row)| self.weight(row) * cell));
            }
            with(&tile);
        }
    }
}

impl Tile {
    /// WA.
    #[inline]
    pub(super) fn weighted(&self) -> &[TileColumn] {
        if self.scaled.is_empty() { &self.columns } else { &self.scaled }
    }

    /// Adds A'WA: its lower triangle, row by row.
    pub(super) fn add_squares(&self, gram: &mut [f64]) {
        for ((k, line), a) in gram.chunks_exact_mut(self.columns.len()).enumerate().zip(self.weighted()) {
            for (cell, b) in line.iter_mut().zip(&self.columns).take(k + 1) {
                *cell += product(a, b);
            }
        }
    }
}

fn fill(cells: &mut TileColumn, values: impl Iterator<Item = f64>) {
    let values = values.chain(std::iter::repeat(0.0));
    cells.iter_mut().zip(values).for_each(|(cell, value)| *cell = value);
}

fn lay_out(cells: &mut TileColumn, column: Column, rows: &[usize], shift: f64) {
    match (column, rows) {
        (Column::Numeric(values), &[first, .., last]) if last - first + 1 == rows.len() => {
            fill(cells, values.get(first..=last).unwrap_or_default().iter().map(|v| v - shift));
        }
        _ => fill(cells, rows.iter().map(|&row| column.at(row) - shift)),
    }
}

/// a'b, in several sums side by side.
#[inline]
fn product(a: &TileColumn, b: &TileColumn) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// What the rows of every group add up to.
pub(super) struct GroupSums {
    width: usize,
    /// Sums of w A, group by group; the first of each is its sum of weights.
    pub(super) sums: Vec<f64>,
    /// Rows of every group; empty while their weights count them.
    pub(super) n: Vec<f64>,
}

impl GroupSums {
    /// `counts_itself`: a row adds 1 to the sum of weights of one group.
    pub(super) fn zeros(n_groups: usize, width: usize, counts_itself: bool) -> Self {
        let n = if counts_itself { vec![] } else { vec![0.0; n_groups] };
        Self { width, sums: vec![0.0; n_groups * width], n }
    }

    /// Sums that are there already; `n` may be empty where the sums of weights are the numbers of rows.
    pub(super) fn of_sums(width: usize, sums: Vec<f64>, n: Vec<f64>) -> Self {
        Self { width, sums, n }
    }

    /// Adds the rows of a tile, each of which is in one group.
    #[inline]
    pub(super) fn add_tile(&mut self, tile: &Tile, of_row: &[u32]) {
        self.fetch(tile, of_row);
        for (place, &row) in tile.rows.iter().enumerate() {
            if let Some(&group) = of_row.get(row) {
                self.add(group, 1.0, tile, place);
            }
        }
    }

    /// Reads what rows will be added to. Groups in random order lie all over a memory that is larger than a processor's
    /// cache: read by themselves, many of them come at the same time, added one after another they do not.
    #[inline]
    fn fetch(&self, tile: &Tile, of_row: &[u32]) {
        let read = tile.rows.iter().fold(0, |read, &row| {
            let group = of_row.get(row).map_or(0, |group| *group as usize);
            let from = group * self.width;
            let ends = [self.sums.get(from), self.sums.get(from + self.width - 1), self.n.get(group)];
            ends.into_iter().flatten().fold(read, |read, cell| read ^ cell.to_bits())
        });
        std::hint::black_box(read);
    }

    /// Adds a share of one row of a tile.
    #[inline]
    pub(super) fn add(&mut self, group: u32, share: f64, tile: &Tile, place: usize) {
        let from = group as usize * self.width;
        if let Some(n) = self.n.get_mut(group as usize) {
            *n += 1.0;
        }
        for (sum, column) in self.sums.iter_mut().skip(from).zip(tile.weighted()) {
            *sum += share * column.get(place).copied().unwrap_or(0.0);
        }
    }

    /// The sums of a group, and its rows.
    pub(super) fn of(&self, group: u32) -> (&[f64], f64) {
        let from = group as usize * self.width;
        let sums = self.sums.get(from..from + self.width).unwrap_or_default();
        let n = if self.n.is_empty() { sums.first() } else { self.n.get(group as usize) };
        (sums, n.copied().unwrap_or(0.0))
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
