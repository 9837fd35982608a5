//! Student growth percentiles and quantile regression.

mod properties;
mod quantreg;
