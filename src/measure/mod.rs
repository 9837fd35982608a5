//! What is measured, in which direction it should move, and the series that comes of it.

mod aggregate;
mod definition;
mod direction;
mod groups;
mod series;

pub use aggregate::Row;
pub use definition::{Kind, Measure, Role};
pub use direction::Direction;
pub use groups::{Candidate, StudentValue};
pub use series::{Point, Series};
