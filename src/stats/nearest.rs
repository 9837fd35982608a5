//! The nearest points of a point, by a k-d tree.

/// Points of a box are compared one by one from here down.
const LEAF: usize = 24;

/// Bentley (1975, Commun. ACM 18:509): boxes halved along their widest side.
#[derive(Debug)]
pub(crate) struct Nearest {
    dim: usize,
    /// The points of every box side by side, and where each stood in the input.
    points: Vec<f64>,
    origin: Vec<u32>,
    boxes: Vec<Split>,
}

#[derive(Debug, Clone, Copy)]
struct Split {
    axis: usize,
    at: f64,
    /// The box of the larger values; that of the smaller follows. 0 in a leaf.
    upper: usize,
    start: usize,
    end: usize,
}

impl Nearest {
    /// The tree over points of `dim` coordinates, laid out one after the other.
    pub(crate) fn new(points: &[f64], dim: usize) -> Self {
        let dim = dim.max(1);
        let mut rows: Vec<(&[f64], u32)> = points.chunks_exact(dim).zip(0..).collect();
        let mut boxes = Vec::new();
        split(&mut rows, 0, dim, &mut boxes);
        let origin = rows.iter().map(|(_, i)| *i).collect();
        let points = rows.iter().flat_map(|(p, _)| p.iter().copied()).collect();
        Self { dim, points, origin, boxes }
    }

    /// Up to `k` points other than `own` within a squared distance of `most`, the nearest first; equal distances in the
    /// order of the input.
    pub(crate) fn near(&self, point: &[f64], own: u32, k: usize, most: f64, found: &mut Vec<(f64, u32)>) {
        found.clear();
        if k > 0 {
            self.visit(0, point, own, k, most, found);
        }
    }

    fn visit(&self, node: usize, point: &[f64], own: u32, k: usize, most: f64, found: &mut Vec<(f64, u32)>) {
        let Some(&Split { axis, at, upper, start, end }) = self.boxes.get(node) else { return };
        if upper == 0 {
            let rows = self.points.get(start * self.dim..end * self.dim).unwrap_or_default();
            for (row, &origin) in rows.chunks_exact(self.dim).zip(self.origin.get(start..end).unwrap_or_default()) {
                let distance: f64 = row.iter().zip(point).map(|(a, b)| (a - b) * (a - b)).sum();
                if origin == own || distance > most {
                    continue;
                }
                let item = (distance, origin);
                let is_before = |a: &(f64, u32)| a.0 < item.0 || (a.0.total_cmp(&item.0).is_eq() && a.1 < item.1);
                if found.len() == k {
                    if found.last().is_some_and(is_before) {
                        continue;
                    }
                    found.pop();
                }
                let place = found.partition_point(is_before);
                found.insert(place, item);
            }
            return;
        }
        let gap = point.get(axis).copied().unwrap_or(0.0) - at;
        let (first, second) = if gap < 0.0 { (node + 1, upper) } else { (upper, node + 1) };
        self.visit(first, point, own, k, most, found);
        let reach = if found.len() == k { found.last().map_or(most, |f| f.0) } else { most };
        if gap * gap <= reach {
            self.visit(second, point, own, k, most, found);
        }
    }
}

fn split(rows: &mut [(&[f64], u32)], start: usize, dim: usize, boxes: &mut Vec<Split>) {
    let node = boxes.len();
    boxes.push(Split { axis: 0, at: 0.0, upper: 0, start, end: start + rows.len() });
    if rows.len() <= LEAF {
        return;
    }
    let value = |row: &(&[f64], u32), axis: usize| row.0.get(axis).copied().unwrap_or(0.0);
    let widest = (0..dim)
        .map(|axis| {
            let (lo, hi) = rows.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), row| {
                (lo.min(value(row, axis)), hi.max(value(row, axis)))
            });
            (axis, hi - lo)
        })
        .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    let Some((axis, _)) = widest.filter(|(_, width)| *width > 0.0) else { return };
    let middle = rows.len() / 2;
    rows.select_nth_unstable_by(middle, |a, b| value(a, axis).total_cmp(&value(b, axis)).then(a.1.cmp(&b.1)));
    let at = rows.get(middle).map_or(0.0, |row| value(row, axis));
    let (lower, upper) = rows.split_at_mut(middle);
    split(lower, start, dim, boxes);
    let place = boxes.len();
    split(upper, start + middle, dim, boxes);
    if let Some(cell) = boxes.get_mut(node) {
        *cell = Split { axis, at, upper: place, ..*cell };
    }
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
