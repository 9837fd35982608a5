//! Mixed models with random intercepts of one factor, or of factors nested in each other to any depth.
//!
//! y = X beta + sum over levels of b + e, b ~ N(0, sigma^2 theta^2) per level, e ~ N(0, sigma^2). All that the rows
//! contribute are sums by innermost group ([`Moments`]), which merge; the criterion has a closed form in them, linear
//! in the number of groups. A [`Fit`] holds the estimates and, for every unit, the predicted effect with two standard
//! deviations: conditional on beta, and of the prediction error with beta estimated.
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

mod criterion;
mod design;
mod effects;
mod fit;
mod moments;
mod optimise;

pub use design::{Covariate, Design, encode};
pub(crate) use design::{check_finite, check_rows};
pub use effects::{Contrast, Effect};
pub use fit::{FEW_UNITS, Fit, Method, fit};
pub use moments::Moments;
pub(crate) use moments::sorted_groups;
