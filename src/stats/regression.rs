//! Regression to the mean: how much a unit that was chosen because it was extreme comes back by itself.

use serde::{Deserialize, Serialize};

use super::step::{N_MIN, PHI_MAX, PHI_MIN, one_phase, unbiased_phi};

/// The fewest candidate units from which the spread between units can be estimated.
pub const CANDIDATES_MIN: usize = 5;

/// What all candidates together tell about one that was chosen among them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Candidates {
    /// Mean of the candidates' baselines.
    pub mean: f64,
    /// The share of the variance of the baseline means that is between units and lasts, from 0 to 1.
    pub lambda: f64,
    /// The variance of that estimate.
    pub lambda_variance: f64,
    /// How many candidates there were.
    pub n_units: usize,
}

/// What a chosen unit is expected to gain without any change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Regression {
    /// The expected change.
    pub expected: f64,
    /// The variance of that expectation, for lambda is an estimate.
    pub variance: f64,
}

impl Candidates {
    /// The regression to the mean of a unit with this baseline mean.
    ///
    /// ```text
    /// RTM = (1 - lambda)(mu - xbar),  lambda = tau^2/(tau^2 + sigma^2/b),  Var(RTM) = (mu - xbar)^2 Var(lambda^)
    /// ```
    ///
    /// # Reference
    /// Davis (1976), American Journal of Epidemiology 104:493.
    ///
    /// ```
    /// use brightspot::stats::regression::Candidates;
    ///
    /// // Twelve teams with a lasting spread of .5, three observations of deviation 1 each: the worst is expected to lie
    /// // 1.244 below the mean, and to come back by .711.
    /// let lambda = 0.25 / (0.25 + 1.0 / 3.0);
    /// let teams = Candidates { mean: 0.0, lambda, lambda_variance: 0.0, n_units: 12 };
    /// assert!((teams.regression(-1.2445).expected - 0.711).abs() < 5e-4);
    /// ```
    pub fn regression(&self, baseline_mean: f64) -> Regression {
        let distance = self.mean - baseline_mean;
        Regression { expected: (1.0 - self.lambda) * distance, variance: distance * distance * self.lambda_variance }
    }
}

/// The mean of the candidates and how far their differences last, from the baselines of all of them.
///
/// With S^2 the variance of the baseline means, SS the sum of squares within units, and v, e of a series with
/// autocorrelation phi* (of all units together, corrected for bias and kept within .30 and .90):
///
/// ```text
/// sigma^2 = SS / sum e_i,  noise = sigma^2 mean(v_i),  lambda = max(0, 1 - noise/S^2)
/// Var(lambda) = (noise/S^2)^2 [2/(k - 1) + 2/sum e_i]
/// ```
///
/// # Arguments
/// `units`: the baseline of each candidate, in the order of time, the chosen ones included. Units with fewer than 3
/// points do not count.
///
/// `None` with fewer than 5 candidates, and where their means do not differ or their points do not vary.
///
/// # Reference
/// Davis (1976), American Journal of Epidemiology 104:493.
pub fn candidates(units: &[&[f64]]) -> Option<Candidates> {
    let units: Vec<&[f64]> = units.iter().copied().filter(|unit| unit.len() >= N_MIN).collect();
    if units.len() < CANDIDATES_MIN {
        return None;
    }
    let k = units.len() as f64;
    let means: Vec<f64> = units.iter().map(|unit| unit.iter().sum::<f64>() / unit.len() as f64).collect();
    let mean = means.iter().sum::<f64>() / k;
    let spread = means.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (k - 1.0);
    let (mut squares, mut lagged) = (0.0, 0.0);
    for (unit, mean) in units.iter().zip(&means) {
        squares += unit.iter().map(|y| (y - mean).powi(2)).sum::<f64>();
        lagged += unit.iter().zip(unit.iter().skip(1)).map(|(y, next)| (y - mean) * (next - mean)).sum::<f64>();
    }
    if !(squares > 0.0 && spread > 0.0 && (squares + spread).is_finite()) {
        return None;
    }
    let length = units.iter().map(|unit| unit.len() as f64).sum::<f64>() / k;
    let phi = unbiased_phi(lagged / squares, length, 1.0).map_or(PHI_MIN, |phi| phi.clamp(PHI_MIN, PHI_MAX));
    let laws: Vec<(f64, f64)> = units.iter().map(|unit| one_phase(unit.len(), phi)).collect();
    let free: f64 = laws.iter().map(|(_, e)| e).sum();
    let noise = squares / free * laws.iter().map(|(v, _)| v).sum::<f64>() / k;
    let share = noise / spread;
    Some(Candidates {
        mean,
        lambda: (1.0 - share).max(0.0),
        lambda_variance: share.min(1.0).powi(2) * (2.0 / (k - 1.0) + 2.0 / free),
        n_units: units.len(),
    })
}
