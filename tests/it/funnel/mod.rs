//! Funnel charts.

mod properties;
mod reference;
