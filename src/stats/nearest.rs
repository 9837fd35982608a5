//! The nearest points of a point, by a k-d tree.

use std::cmp::Ordering;

/// Points of a box are compared one by one from here down.
const LEAF: usize = 24;

/// Bentley (1975, Commun. ACM 18:509): boxes halved along their widest side, each drawn in to its points.
#[derive(Debug)]
pub(crate) struct Nearest {
    dim: usize,
    /// The points of every leaf side by side, coordinate after coordinate, and where each stood in the input.
    points: Vec<f64>,
    origin: Vec<u32>,
    boxes: Vec<Split>,
    /// The smallest and the largest coordinates of every box.
    sides: Vec<f64>,
}

#[derive(Debug, Clone, Copy)]
struct Split {
    /// The side it is halved along, and where.
    axis: usize,
    at: f64,
    /// The box of the larger values; that of the smaller follows. 0 in a leaf.
    upper: usize,
    start: usize,
    end: usize,
}

/// A point whose neighbours are asked for, and what is found so far.
struct Search<'q> {
    point: &'q [f64],
    own: u32,
    k: usize,
    /// No point beyond this squared distance is among the nearest.
    reach: f64,
    is_full: bool,
    /// The nearest so far and some more, in no order.
    found: &'q mut Vec<(f64, u32)>,
}

impl Nearest {
    /// The tree over points of `dim` coordinates, laid out one after the other.
    pub(crate) fn new(points: &[f64], dim: usize) -> Self {
        let dim = dim.max(1);
        let mut rows: Vec<(&[f64], u32)> = points.chunks_exact(dim).zip(0..).collect();
        let mut tree = Self { dim, points: vec![], origin: vec![], boxes: vec![], sides: vec![] };
        tree.split(&mut rows, 0);
        tree.origin = rows.iter().map(|(_, i)| *i).collect();
        tree.points.reserve_exact(points.len());
        for leaf in tree.boxes.iter().filter(|b| b.upper == 0) {
            let rows = rows.get(leaf.start..leaf.end).unwrap_or_default();
            for axis in 0..dim {
                tree.points.extend(rows.iter().map(|row| value(row, axis)));
            }
        }
        tree
    }

    /// The points in the order of the boxes, by their places in the input: asked one after another in this order, they
    /// find what they need in the cache.
    pub(crate) fn order(&self) -> &[u32] {
        &self.origin
    }

    /// Up to `k` points other than `own` within a squared distance of `most`, the nearest first; equal distances in the
    /// order of the input.
    pub(crate) fn near(&self, point: &[f64], own: u32, k: usize, most: f64, found: &mut Vec<(f64, u32)>) {
        found.clear();
        if k > 0 {
            let mut search = Search { point, own, k, reach: most, is_full: false, found };
            self.visit(0, &mut search);
            search.found.sort_unstable_by(nearer);
            search.found.truncate(k);
        }
    }

    fn visit(&self, node: usize, search: &mut Search) {
        let Some(&Split { axis, at, upper, start, end }) = self.boxes.get(node) else { return };
        if upper == 0 {
            self.compare(start, end, search);
            return;
        }
        let beyond = search.point.get(axis).copied().unwrap_or(0.0) - at;
        let (near, far) = if beyond < 0.0 { (node + 1, upper) } else { (upper, node + 1) };
        self.visit(near, search);
        // The side alone rules most boxes out.
        if beyond * beyond <= search.reach && self.gap(far, search.point) <= search.reach {
            self.visit(far, search);
        }
    }

    /// The squared distance of a box. Rounded as that of a point is, term by term: no point within is nearer.
    fn gap(&self, node: usize, point: &[f64]) -> f64 {
        let sides = self.sides.get(2 * node * self.dim..).unwrap_or_default();
        let mut sum = 0.0;
        for (side, x) in sides.chunks_exact(2).zip(point) {
            let [low, high] = side else { continue };
            let gap = (low - x).max(x - high).max(0.0);
            sum += gap * gap;
        }
        sum
    }

    /// Compares the points of a leaf: so many distances at a time, axis by axis.
    fn compare(&self, start: usize, end: usize, search: &mut Search) {
        let n = end - start;
        let (Some(points), Some(origins)) =
            (self.points.get(start * self.dim..end * self.dim), self.origin.get(start..end))
        else {
            return;
        };
        for (part, origins) in origins.chunks(LEAF).enumerate() {
            let mut distances = [0.0; LEAF];
            for (column, x) in points.chunks_exact(n).zip(search.point) {
                for (sum, a) in distances.iter_mut().zip(column.get(part * LEAF..).unwrap_or_default()) {
                    let gap = a - x;
                    *sum += gap * gap;
                }
            }
            for (&distance, &origin) in distances.iter().zip(origins) {
                if distance <= search.reach && origin != search.own {
                    search.found.push((distance, origin));
                }
            }
            search.narrow();
        }
    }

    fn split(&mut self, rows: &mut [(&[f64], u32)], start: usize) {
        let node = self.boxes.len();
        self.boxes.push(Split { axis: 0, at: 0.0, upper: 0, start, end: start + rows.len() });
        let mut widest = (0, 0.0);
        for axis in 0..self.dim {
            let (low, high) = rows.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), row| {
                (low.min(value(row, axis)), high.max(value(row, axis)))
            });
            self.sides.extend([low, high]);
            if high - low > widest.1 {
                widest = (axis, high - low);
            }
        }
        // Points that are all the same cannot be told apart by a side.
        if rows.len() <= LEAF || widest.1 <= 0.0 {
            return;
        }
        let (axis, middle) = (widest.0, rows.len() / 2);
        rows.select_nth_unstable_by(middle, |a, b| value(a, axis).total_cmp(&value(b, axis)).then(a.1.cmp(&b.1)));
        let at = rows.get(middle).map_or(0.0, |row| value(row, axis));
        let (lower, upper) = rows.split_at_mut(middle);
        self.split(lower, start);
        let place = self.boxes.len();
        self.split(upper, start + middle);
        if let Some(cell) = self.boxes.get_mut(node) {
            *cell = Split { axis, at, upper: place, ..*cell };
        }
    }
}

impl Search<'_> {
    /// Lets go of what is not among the nearest: not one by one, which takes longer than all comparisons.
    fn narrow(&mut self) {
        let (n, k) = (self.found.len(), self.k);
        if n < k || (self.is_full && n < 2 * k) {
            return;
        }
        let (_, last, _) = self.found.select_nth_unstable_by(k - 1, nearer);
        self.reach = last.0;
        self.is_full = true;
        self.found.truncate(k);
    }
}

/// The order of what is found: equal distances as in the input.
fn nearer(a: &(f64, u32), b: &(f64, u32)) -> Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

fn value(row: &(&[f64], u32), axis: usize) -> f64 {
    row.0.get(axis).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_are_those_of_comparing_all() {
        // Many equal coordinates, so that ties are met.
        let points: Vec<f64> = (0..900_u32).map(|i| f64::from(i * 7919 % 23) + f64::from(i * i % 3) / 7.0).collect();
        let tree = Nearest::new(&points, 3);
        let mut found = Vec::new();
        for own in [0_u32, 17, 150, 299] {
            let point = &points[own as usize * 3..own as usize * 3 + 3];
            for (k, most) in [(1, 1e9), (30, 1e9), (30, 20.0), (400, 1e9)] {
                let mut all: Vec<(f64, u32)> = points
                    .chunks(3)
                    .zip(0..)
                    .map(|(p, i)| (p.iter().zip(point).map(|(a, b)| (a - b) * (a - b)).sum::<f64>(), i))
                    .filter(|(d, i)| *i != own && *d <= most)
                    .collect();
                all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                all.truncate(k);
                tree.near(point, own, k, most, &mut found);
                assert_eq!(found, all);
            }
        }
    }
}
