//! Functions whose sums are the logarithms of smooth densities.

use faer::Mat;

use crate::stats::summary::quantile;

/// How many functions there are.
pub(super) const FUNCTIONS: usize = 5;
const KNOTS: usize = FUNCTIONS + 1;

/// The value of every function at one place.
pub(super) type Row = [f64; FUNCTIONS];

/// A basis of the natural cubic splines with these knots at the points, without the constant: columns that sum to zero, have mean
/// square 1 and are orthogonal.
///
/// Hastie, Tibshirani & Friedman (2009, The Elements of Statistical Learning, eq. 5.4-5.5): x and `d_k - d_(K-1)` with
/// `d_k = ((x - t_k)_+^3 - (x - t_K)_+^3)/(t_K - t_k)`.
pub(super) fn basis(points: &[f64], knots: &[f64; KNOTS]) -> Vec<Row> {
    let [first, middle @ .., before, last] = *knots;
    // In units of the whole, so that cubes of small and of large numbers are alike.
    let span = last - first;
    let cube = |x: f64| x.max(0.0).powi(3);
    let bend = |x: f64, knot: f64| (cube((x - knot) / span) - cube((x - last) / span)) / ((last - knot) / span);
    let functions = |x: f64| {
        let mut row: Row = [(x - first) / span; FUNCTIONS];
        for (value, knot) in row.iter_mut().skip(1).zip(std::iter::once(first).chain(middle)) {
            *value = bend(x, knot) - bend(x, before);
        }
        row
    };
    let rows: Vec<Row> = points.iter().map(|x| functions(*x)).collect();
    let n = points.len() as f64;
    let mut means: Row = [0.0; FUNCTIONS];
    for row in &rows {
        for (mean, value) in means.iter_mut().zip(row) {
            *mean += value / n;
        }
    }
    let centred = Mat::from_fn(rows.len(), FUNCTIONS, |i, k| {
        rows.get(i).zip(means.get(k)).and_then(|(row, mean)| Some(row.get(k)? - mean)).unwrap_or(f64::NAN)
    });
    let orthogonal = centred.qr().compute_thin_Q();
    (0..rows.len()).map(|i| std::array::from_fn(|k| orthogonal[(i, k)] * n.sqrt())).collect()
}

/// Knots halfway between equal distances and equal numbers of estimates: some where most effects are, and some for the far ones.
pub(super) fn knots(estimates: &[f64]) -> [f64; KNOTS] {
    let mut sorted = estimates.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (quantile(&sorted, 0.0), quantile(&sorted, 1.0));
    std::array::from_fn(|k| {
        let share = k as f64 / FUNCTIONS as f64;
        f64::midpoint(low + share * (high - low), quantile(&sorted, share))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_orthogonal_and_straight_at_the_ends() {
        let points: Vec<f64> = (0..200).map(|i| f64::from(i) / 100.0 - 0.5).collect();
        let knots = [-0.2, 0.0, 0.1, 0.3, 0.9, 1.2];
        let rows = basis(&points, &knots);
        for k in 0..FUNCTIONS {
            assert!(rows.iter().map(|row| row[k]).sum::<f64>().abs() < 1e-9);
            for l in 0..=k {
                let product: f64 = rows.iter().map(|row| row[k] * row[l]).sum::<f64>() / 200.0;
                assert!((product - f64::from(u8::from(k == l))).abs() < 1e-9, "{k} {l}");
            }
            // Beyond the outer knots: no curvature.
            for i in [1, 10, 180, 198] {
                assert!((rows[i - 1][k] - 2.0 * rows[i][k] + rows[i + 1][k]).abs() < 1e-9, "{i}");
            }
        }
    }

    #[test]
    fn knots_lie_between_both_kinds() {
        let estimates: Vec<f64> = (0..=100).map(|i| (f64::from(i) / 100.0).powi(2)).collect();
        for (k, knot) in knots(&estimates).into_iter().enumerate() {
            let share = k as f64 / 5.0;
            assert!((knot - f64::midpoint(share, share * share)).abs() < 1e-12);
        }
    }
}
