//! Mixed models in which slopes, too, differ between the units of one factor.
//!
//! y = X beta + (b0 + b1 z1 + ...) + e for the unit of a row, b ~ N(0, sigma^2 Lambda Lambda'), e ~ N(0, sigma^2).
//! Intercept and slopes may be correlated or not ([`SlopeCovariance`]). What the rows contribute are sums by unit
//! ([`SlopeMoments`]), which merge; every evaluation of the criterion is linear in the number of units.
//!
//! ```
//! use brightspot::mixed::{Covariate, Design, Method, SlopeCovariance, SlopeMoments, fit_slopes};
//!
//! // Four classes of five pupils: score by hours of practice, each class with a line of its own.
//! let hours: Vec<f64> = (0..20).map(|i| f64::from(i % 5)).collect();
//! let class: Vec<u32> = (0..20).map(|i| i / 5).collect();
//! let noise = [0.3, -0.2, 0.1, -0.4, 0.2, -0.1, 0.4, -0.3, 0.2, -0.2, 0.1, 0.3, -0.4, 0.2, -0.1, 0.2, -0.3, 0.1, 0.3, -0.2];
//! let score: Vec<f64> = (0..20)
//!     .map(|i| 10.0 + [0.0, 3.0, -2.0, 1.0][i / 5] + (2.0 + [0.5, -0.5, 0.8, -0.8][i / 5]) * hours[i] + noise[i])
//!     .collect();
//! let design = Design::new(20, &[Covariate::Numeric { name: "hours", values: &hours }])?;
//! let moments = SlopeMoments::new(&design, &[("hours", &hours)], &score, &class)?;
//! let fit = fit_slopes(&moments, SlopeCovariance::Correlated, Method::Reml, &|_, _| Ok(()))?;
//! assert_eq!(fit.columns, ["(Intercept)", "hours"]);
//! assert!((fit.beta[1] - 2.0).abs() < 0.1);
//! assert!(fit.effects()[2].effect[1] > 0.6);
//! # Ok::<(), brightspot::Error>(())
//! ```

mod criterion;
mod effects;
mod fit;
mod moments;
mod root;
mod search;

pub use effects::SlopeEffect;
pub use fit::{SlopeFit, fit_slopes};
pub use moments::SlopeMoments;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a unit's intercept says something about its slopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlopeCovariance {
    /// Intercept and slopes have any covariance matrix: the model does not depend on where a covariate has its zero.
    #[default]
    Correlated,
    /// Intercept (where every covariate is 0) and slopes are independent: fewer parameters, and a choice of zero that
    /// matters.
    Uncorrelated,
}
