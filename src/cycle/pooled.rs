//! The effects of a practice's cycles, pooled: one number with an interval that allows for their differences.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// A random-effects mean with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pooled {
    pub(super) estimate: f64,
    pub(super) lo: f64,
    pub(super) hi: f64,
    pub(super) tau2: f64,
}

/// Effects are pooled from this many on: between two nothing can be said about how they differ.
pub(super) const FEWEST: usize = 3;

/// Random effects by restricted maximum likelihood, with the interval of Hartung and Knapp, never narrower than that of
/// a normal law with known variances would make its error (factor max(1, q)).
///
/// Hartung & Knapp (2001, Stat. Med. 20:3875); Sidik & Jonkman (2002, Stat. Med. 21:3153); the restriction: Roever,
/// Knapp & Friede (2015, BMC Med. Res. Methodol. 15:99). `None` with fewer than [`FEWEST`] effects.
pub(super) fn pooled(effects: &[f64], variances: &[f64], level: f64) -> Option<Pooled> {
    let k = effects.len();
    if k < FEWEST || variances.len() != k || !variances.iter().all(|v| *v > 0.0 && v.is_finite()) {
        return None;
    }
    let tau2 = between(effects, variances);
    let weights: Vec<f64> = variances.iter().map(|v| 1.0 / (v + tau2)).collect();
    let total: f64 = weights.iter().sum();
    let estimate = mean(effects, &weights);
    let freedom = (k - 1) as f64;
    let q = effects.iter().zip(&weights).map(|(y, w)| w * (y - estimate).powi(2)).sum::<f64>() / freedom;
    let law = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let half = law.inverse_cdf(f64::midpoint(1.0, level)) * (q.max(1.0) / total).sqrt();
    Some(Pooled { estimate, lo: estimate - half, hi: estimate + half, tau2 })
}

fn mean(effects: &[f64], weights: &[f64]) -> f64 {
    effects.iter().zip(weights).map(|(y, w)| w * y).sum::<f64>() / weights.iter().sum::<f64>()
}

/// The variance between effects by restricted maximum likelihood: the fixed point of its score equation (Viechtbauer
/// 2005, J. Educ. Behav. Stat. 30:261, eq. 16), which zero ends where it is below.
fn between(effects: &[f64], variances: &[f64]) -> f64 {
    const MOST_ROUNDS: usize = 100_000;
    let mut tau2 = 0.0_f64;
    let spread: f64 = variances.iter().sum::<f64>() / variances.len() as f64;
    for _ in 0..MOST_ROUNDS {
        let weights: Vec<f64> = variances.iter().map(|v| 1.0 / (v + tau2)).collect();
        let center = mean(effects, &weights);
        let squares: f64 = weights.iter().map(|w| w * w).sum();
        let excess: f64 = effects
            .iter()
            .zip(variances)
            .zip(&weights)
            .map(|((y, v), w)| w * w * ((y - center).powi(2) - v))
            .sum::<f64>();
        let next = (excess / squares + 1.0 / weights.iter().sum::<f64>()).max(0.0);
        let moved = (next - tau2).abs();
        tau2 = next;
        if moved <= 1e-13 * (tau2 + spread) {
            break;
        }
    }
    tau2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The thirteen trials of BCG vaccine (Colditz et al. 1994, JAMA 271:698): log risk ratios and variances from the
    /// counts, as everywhere in print.
    const BCG: [(f64, f64, f64, f64); 13] = [
        (4.0, 119.0, 11.0, 128.0),
        (6.0, 300.0, 29.0, 274.0),
        (3.0, 228.0, 11.0, 209.0),
        (62.0, 13536.0, 248.0, 12619.0),
        (33.0, 5036.0, 47.0, 5761.0),
        (180.0, 1361.0, 372.0, 1079.0),
        (8.0, 2537.0, 10.0, 619.0),
        (505.0, 87886.0, 499.0, 87892.0),
        (29.0, 7470.0, 45.0, 7232.0),
        (17.0, 1699.0, 65.0, 1600.0),
        (186.0, 50448.0, 141.0, 27197.0),
        (5.0, 2493.0, 3.0, 2338.0),
        (27.0, 16886.0, 29.0, 17825.0),
    ];

    #[test]
    fn the_vaccine_trials_are_those_of_the_literature() {
        let (effects, variances): (Vec<f64>, Vec<f64>) = BCG
            .iter()
            .map(|(a, b, c, d)| {
                let (n1, n2) = (a + b, c + d);
                ((a / n1 / (c / n2)).ln(), 1.0 / a - 1.0 / n1 + 1.0 / c - 1.0 / n2)
            })
            .unzip();
        let found = pooled(&effects, &variances, 0.95).unwrap();
        // Viechtbauer (2010, J. Stat. Softw. 36(3), p. 14): -0.7145, tau^2 = 0.3132.
        assert!((found.estimate + 0.7145).abs() < 5e-5, "{found:?}");
        assert!((found.tau2 - 0.3132).abs() < 5e-5, "{found:?}");
    }

    #[test]
    fn alike_effects_are_no_surer_than_their_variances() {
        let found = pooled(&[1.0, 1.0, 1.0], &[0.09; 3], 0.90).unwrap();
        // t with 2 degrees of freedom at .95 is 2.919986; the error .3/sqrt(3).
        assert!((found.estimate - found.lo - 2.919_985_580_355_516 * 0.3 / 3.0_f64.sqrt()).abs() < 1e-9);
        assert!(found.tau2.abs() < 1e-12 && (found.hi + found.lo - 2.0).abs() < 1e-12);
        assert_eq!(pooled(&[1.0, 1.0], &[0.1; 2], 0.90), None);
        assert_eq!(pooled(&[1.0; 3], &[0.1, 0.0, 0.1], 0.90), None);
    }
}
