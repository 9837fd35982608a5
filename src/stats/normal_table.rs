//! The normal distribution function from a table, where millions of values are needed.

use std::sync::LazyLock;

use super::normal;

/// Cells per standard deviation. Cubic Hermite interpolation errs by at most (1/256)^4/384 times the largest third
/// derivative of the density (1.4): less than 1e-12.
const STEPS: f64 = 256.0;
/// Beyond this the distribution function is 0 or 1 to the same precision.
const END: f64 = 8.5;

static TABLE: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a small whole number
    let cells = (2.0 * END * STEPS) as u32;
    (0..=cells + 1)
        .map(|i| {
            let z = f64::from(i) / STEPS - END;
            (normal::cdf(z), normal::density(z) / STEPS)
        })
        .collect()
});

/// The table, looked up once for many values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phi(&'static [(f64, f64)]);

impl Phi {
    pub(crate) fn new() -> Self {
        Self(&TABLE)
    }

    /// P(Z <= z) as [`normal::cdf`] has it, to 1e-10 and not relative to it: in the far tails use that.
    #[inline]
    pub(crate) fn cdf(self, z: f64) -> f64 {
        let place = (z + END) * STEPS;
        if place <= 0.0 {
            return 0.0;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative; a large one is outside
        let cell = place as usize;
        let (Some(&(a, da)), Some(&(b, db))) = (self.0.get(cell), self.0.get(cell.saturating_add(1))) else {
            return if z.is_nan() { f64::NAN } else { 1.0 };
        };
        let u = place - cell as f64;
        let rise = b - a;
        a + u * (da + u * (3.0 * rise - 2.0 * da - db + u * (da + db - 2.0 * rise)))
    }

    /// P(X > threshold) for X normal; with `sd` 0 the mean itself decides.
    #[inline]
    pub(crate) fn exceeds(self, mean: f64, sd: f64, threshold: f64) -> f64 {
        if sd > 0.0 { self.cdf((mean - threshold) / sd) } else { f64::from(u8::from(mean > threshold)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_function() {
        let phi = Phi::new();
        for i in -950_i32..=950 {
            let z = f64::from(i) / 100.0 + 0.000_37;
            // The error function beneath is good to 1e-10, and steps by as much where its pieces meet.
            assert!((phi.cdf(z) - normal::cdf(z)).abs() < 1e-10, "{z}");
        }
        assert!(phi.cdf(f64::NAN).is_nan());
        assert_eq!((phi.cdf(f64::INFINITY), phi.cdf(f64::NEG_INFINITY)), (1.0, 0.0));
    }
}
