//! Student growth percentiles: where a score stands among those of students with the same earlier scores.
//!
//! A model of its own, below bright spots: it says how much a student grew, and knows nothing of who is to be learnt from.
//! A fitted [`GrowthModel`] is plain data (knots, boundaries, coefficients), so that next year's students, or those of
//! another district, are placed by the very same table.

mod model;
mod percentile;
mod validate;

pub use model::{GrowthModel, GrowthSpec, PriorBasis, Quantile, fit};
pub use percentile::Placed;
