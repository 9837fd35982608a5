//! What is measured, in which direction it should move, and the series that comes of it.

mod direction;
mod series;

pub use direction::Direction;
pub use series::{Point, Series};
