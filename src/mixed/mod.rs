//! Mixed models with random intercepts of one factor, of factors nested in each other to any depth, of factors that
//! cross, and of factors to several units of which a row may belong.
//!
//! y = X beta + sum over factors of Z b + e, b ~ N(0, sigma^2 theta^2) per factor, e ~ N(0, sigma^2 / w). All that the
//! rows contribute are sums by unit, and by pair of units where factors cross ([`Moments`]), which merge. For nested
//! factors the criterion has a closed form in them, linear in the number of groups; otherwise the largest factor is
//! eliminated and a Cholesky factor of the others remains. A [`Fit`] holds the estimates and, for every unit, the
//! predicted effect with two standard deviations: conditional on beta, and of the prediction error with beta estimated.
//!
//! Three relatives stand beside it: slopes that differ between the units of one factor ([`fit_slopes`]), passes and
//! counts ([`fit_glmm`]), and covariates measured with error ([`fit_reliability`]).
//!
//! ```
//! use brightspot::mixed::{Design, Method, Moments, encode, fit};
//!
//! // Yields of six batches of a dyestuff, five samples each (Davies & Goldsmith 1972, table 6.3).
//! let yields = [
//!     1545.0, 1440.0, 1440.0, 1520.0, 1580.0, 1540.0, 1555.0, 1490.0, 1560.0, 1495.0, 1595.0, 1550.0, 1605.0, 1510.0,
//!     1560.0, 1445.0, 1440.0, 1595.0, 1465.0, 1545.0, 1595.0, 1630.0, 1515.0, 1635.0, 1625.0, 1520.0, 1455.0, 1450.0,
//!     1480.0, 1445.0,
//! ];
//! let (batch, labels) = encode((0..30).map(|i| ["A", "B", "C", "D", "E", "F"][i / 5]));
//! let moments = Moments::new(&Design::new(30, &[])?, &yields, &[&batch])?;
//! let fit = fit(&moments, Method::Reml)?;
//! assert!((fit.criterion - 319.654_277).abs() < 1e-6);
//! assert!((fit.theta[0] - 0.848_32).abs() < 1e-5);
//! let effects = fit.effects(0)?;
//! assert_eq!(labels[effects[4].path[0] as usize], "E");
//! assert!((effects[4].effect - 56.73).abs() < 0.01);
//! # Ok::<(), brightspot::Error>(())
//! ```

mod algebra;
mod basis;
mod bytes;
mod criterion;
mod crossed;
mod design;
mod effects;
mod factor;
mod fit;
mod freedom;
mod glmm;
mod grouped;
mod groups;
mod labels;
mod likelihood;
mod members;
mod minimise;
mod moments;
mod nest;
mod nested_effects;
mod one_way;
mod optimise;
mod reliability;
mod rows;
mod second_order;
mod sizes;
mod slopes;
mod spare;

#[cfg(feature = "frame")]
pub(crate) use design::all_finite;
pub use design::{Covariate, Design, encode};
pub(crate) use design::{check_finite, check_rows};
pub use effects::{Contrast, Effect};
pub use fit::{FEW_UNITS, Fit, Method, Route, fit, fit_while};
pub use glmm::{Family, GlmmData, GlmmFit, fit_glmm};
pub use grouped::GroupedMoments;
pub(crate) use groups::sorted_groups;
pub use labels::Labels;
pub use members::Members;
pub use moments::{Moments, Random};
pub use nested_effects::NestedEffect;
pub use one_way::OneWay;
pub use reliability::{ReliabilityFit, fit_reliability};
pub use slopes::{SlopeCovariance, SlopeEffect, SlopeFit, SlopeMoments, fit_slopes};
