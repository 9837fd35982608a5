//! Cubic B-splines with explicit knots.

/// The degree of the pieces.
const DEGREE: usize = 3;

/// The cubic B-spline basis at `x`, without its first function, which an intercept stands for (as R's `splines::bs`):
/// `knots.len() + 3` values. Beyond the boundaries x is taken as the nearer one.
///
/// de Boor (1978, A Practical Guide to Splines, ch. X): `B_i,k = (x - t_i)/(t_i+k - t_i) B_i,k-1 + (t_i+k+1 -
/// x)/(t_i+k+1 - t_i+1) B_i+1,k-1`. `knots` are sorted and lie within `boundaries`.
pub(crate) fn basis(x: f64, knots: &[f64], boundaries: (f64, f64)) -> Vec<f64> {
    let (low, high) = boundaries;
    let x = x.clamp(low, high);
    let ends = DEGREE + 1;
    let all: Vec<f64> =
        std::iter::repeat_n(low, ends).chain(knots.iter().copied()).chain(std::iter::repeat_n(high, ends)).collect();
    let t = |i: usize| all.get(i).copied().unwrap_or(high);
    // The last interval is closed, so that the upper boundary belongs to it.
    let last = knots.len() + DEGREE;
    let inside = (DEGREE..=last).rev().find(|&i| t(i) <= x && t(i) < t(i + 1)).unwrap_or(DEGREE);
    let mut values: Vec<f64> = (0..all.len() - 1).map(|i| f64::from(u8::from(i == inside))).collect();
    for degree in 1..=DEGREE {
        let ratio = |above: f64, below: f64| if below > 0.0 { above / below } else { 0.0 };
        values = values
            .windows(2)
            .enumerate()
            .map(|(i, pair)| match *pair {
                [left, right] => {
                    ratio(x - t(i), t(i + degree) - t(i)) * left
                        + ratio(t(i + degree + 1) - x, t(i + degree + 1) - t(i + 1)) * right
                }
                _ => 0.0,
            })
            .collect();
    }
    values.split_off(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_r() {
        // One knot in the middle of [0, 1]: at x = .25 the cubic pieces are 1/8, 19/32, 1/4, 1/32 and 0 (de Boor's recursion
        // by hand); the first is the intercept's.
        let found = basis(0.25, &[0.5], (0.0, 1.0));
        for (found, expected) in found.iter().zip([0.593_75, 0.25, 0.031_25, 0.0]) {
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn functions_sum_to_one_and_ends_belong() {
        let knots = [1.0, 2.0, 4.0];
        for i in 0..=50 {
            let x = f64::from(i) / 10.0;
            let rest: f64 = basis(x, &knots, (0.0, 5.0)).iter().sum();
            let first = if x < 1.0 { (1.0 - x).powi(3) } else { 0.0 };
            assert!((rest + first - 1.0).abs() < 1e-12, "{x}");
        }
        assert!((basis(5.0, &knots, (0.0, 5.0)).last().unwrap() - 1.0).abs() < 1e-15);
        assert_eq!(basis(9.0, &knots, (0.0, 5.0)), basis(5.0, &knots, (0.0, 5.0)));
    }
}
