//! The law of an estimated standard deviation, and how far a new value lies in units of it.

use statrs::distribution::{ContinuousCDF, Gamma};
use statrs::function::gamma::ln_gamma;

use super::normal;

/// An estimate that varies less than this is as good as known.
const AS_KNOWN: f64 = 1e-7;

/// The law of an unbiased estimate of sigma from normal values, in units of sigma: a power of a gamma variable,
///
/// ```text
/// s / sigma = G^p / E G^p,  G ~ Gamma(p d)
/// ```
///
/// with p such that its squared coefficient of variation is right. Then it is right near 0 too, where
/// P(s < x) goes like x^d, d being how many independent differences would all have to be small: n - 1 for a range or a
/// standard deviation of n values, m for the mean of m ranges of neighbours, their sum for means of several. A standard
/// deviation is exactly of this form with p = 1/2 (a scaled chi), and so is a single moving range. A mean moving range comes
/// near p = .83: as a scaled chi of its variance it would be taken to be small far too often.
///
/// Reference: Stacy (1962), Ann. Math. Stat. 33:1187 (the generalised gamma law).
///
/// ```
/// use brightspot::stats::constants::c4;
/// use brightspot::stats::sigma_law::SigmaLaw;
/// // The standard deviation of eleven values: 3.9569 is the .99865 quantile of t with ten degrees of freedom.
/// let law = SigmaLaw::new(10.0, c4(11.0).powi(-2) - 1.0);
/// assert!((law.multiple(0.00135) - 3.9569 * c4(11.0)).abs() < 1e-3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SigmaLaw {
    /// p d; infinite for a sigma that is known.
    shape: f64,
    power: f64,
}

impl SigmaLaw {
    /// A sigma that is known.
    pub const KNOWN: Self = Self { shape: f64::INFINITY, power: 0.5 };

    /// The law of an estimate.
    ///
    /// * `dims`: d, how many differences it is made of, above 0.
    /// * `cv2`: its squared coefficient of variation. 0 is a sigma that is known.
    pub fn new(dims: f64, cv2: f64) -> Self {
        if !(cv2 > AS_KNOWN && dims > 0.0) {
            return Self::KNOWN;
        }
        let target = cv2.ln_1p();
        // ln(1 + cv2) of the power of a gamma variable is almost proportional to the power.
        let mut power = dims * cv2;
        for _ in 0..60 {
            let shape = power * dims;
            let found = ln_gamma(shape + 2.0 * power) + ln_gamma(shape) - 2.0 * ln_gamma(shape + power);
            let factor = target / found;
            // Positive all along, and given up where rounding takes over.
            if !(factor > 0.1 && factor < 10.0) {
                return Self::KNOWN;
            }
            power *= factor;
            if (factor - 1.0).abs() < 1e-10 {
                break;
            }
        }
        Self { shape: power * dims, power }
    }

    /// ln E G^p.
    fn log_mean(self) -> f64 {
        ln_gamma(self.shape + self.power) - ln_gamma(self.shape)
    }

    /// How often the estimate is more than `ratio` times sigma.
    pub fn prob_above(self, ratio: f64) -> f64 {
        self.probability(ratio, Gamma::sf).unwrap_or_else(|| f64::from(u8::from(ratio < 1.0)))
    }

    /// How often the estimate is at most `ratio` times sigma.
    pub fn prob_below(self, ratio: f64) -> f64 {
        self.probability(ratio, Gamma::cdf).unwrap_or_else(|| f64::from(u8::from(ratio >= 1.0)))
    }

    fn probability(self, ratio: f64, of: fn(&Gamma, f64) -> f64) -> Option<f64> {
        if self.shape.is_infinite() || ratio.is_nan() {
            return None;
        }
        let law = Gamma::new(self.shape, 1.0).ok()?;
        Some(of(&law, ((ratio.max(0.0).ln() + self.log_mean()) / self.power).exp()))
    }

    /// How many estimated sigmas from its mean a new normal value, independent of the estimate, lies with probability `tail`
    /// on one side.
    ///
    /// With a known sigma it is the normal quantile, with a standard deviation that of Student's t times c4. By the
    /// trapezoidal rule over ln G; to 1e-8. NaN for a `tail` that is not between 0 and 1/2.
    pub fn multiple(self, tail: f64) -> f64 {
        if !(tail > 0.0 && tail < 0.5) {
            return f64::NAN;
        }
        let known = -normal::quantile(tail);
        if self.shape.is_infinite() {
            return known;
        }
        // The density of y = ln G is exp(shape y - e^y); its left tail is that of exp(shape y).
        let spread = 1.0 / self.shape.sqrt();
        let step = 0.25 * spread.min(1.0);
        let (from, to) = (self.shape.ln() - 9.0 * spread - 36.0 / self.shape, self.shape.ln() + 9.0 * spread);
        let shift = self.shape * self.shape.ln() - self.shape;
        let log_mean = self.log_mean();
        let nodes: Vec<(f64, f64)> = std::iter::successors(Some(from), |y| Some(y + step))
            .take_while(|y| *y <= to)
            .map(|y| ((self.shape * y - y.exp() - shift).exp(), (self.power * y - log_mean).exp()))
            .filter(|(weight, _)| *weight > 1e-18)
            .collect();
        let total: f64 = nodes.iter().map(|(weight, _)| weight).sum();
        // Newton's rule for ln P in ln k, from the known multiple upwards.
        let (mut log_multiple, log_tail) = (known.ln(), (tail * total).ln());
        for _ in 0..100 {
            let multiple = log_multiple.exp();
            let (prob, slope) = nodes.iter().fold((0.0, 0.0), |(prob, slope), (weight, ratio)| {
                let at = multiple * ratio;
                (prob + weight * normal::cdf(-at), slope + weight * at * normal::density(at))
            });
            let step = ((prob.ln() - log_tail) * prob / slope).clamp(-2.0, 2.0);
            log_multiple += step;
            if step.abs() < 1e-10 {
                break;
            }
        }
        log_multiple.exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::constants::c4;
    use statrs::distribution::StudentsT;

    #[test]
    fn a_standard_deviation_gives_students_t() {
        for df in [1.0, 2.0, 3.0, 7.0, 11.0, 30.0, 200.0] {
            let law = SigmaLaw::new(df, c4(df + 1.0).powi(-2) - 1.0);
            assert!((law.power - 0.5).abs() < 1e-7, "{df}: {}", law.power);
            for tail in [0.001_349_898, 0.025, 0.2] {
                let expected = -StudentsT::new(0.0, 1.0, df).unwrap().inverse_cdf(tail) * c4(df + 1.0);
                let found = law.multiple(tail);
                assert!((found / expected - 1.0).abs() < 1e-6, "{df} {tail}: {found} {expected}");
            }
        }
        assert!((SigmaLaw::KNOWN.multiple(0.025) - 1.959_963_984_540_054).abs() < 1e-9);
        assert!(SigmaLaw::new(1e7, 5e-8).multiple(0.1).is_finite() && SigmaLaw::KNOWN.multiple(0.7).is_nan());
    }

    #[test]
    fn the_law_of_a_standard_deviation() {
        // Of five values: chi-square with four degrees of freedom, .95 quantile 9.4877 (any table).
        let law = SigmaLaw::new(4.0, c4(5.0).powi(-2) - 1.0);
        let at = (9.487_729 / 4.0_f64).sqrt() / c4(5.0);
        assert!((law.prob_above(at) - 0.05).abs() < 1e-6 && (law.prob_below(at) - 0.95).abs() < 1e-6);
        assert_eq!((law.prob_below(0.0), law.prob_above(0.0)), (0.0, 1.0));
        assert_eq!((SigmaLaw::KNOWN.prob_above(0.9), SigmaLaw::KNOWN.prob_below(0.9)), (1.0, 0.0));
    }
}
