//! Effects of several sites as one: random-effects meta-analysis, with intervals that hold for few sites.
//!
//! `y_i = mu + u_i + e_i`, `u ~ N(0, tau^2)` between sites, `e_i ~ N(0, v_i)` with v known. What a site that is not among
//! these may expect is the prediction interval, not the interval of mu.
//!
//! ```
//! use brightspot::stats::pooling::{Finding, PoolSpec, pool};
//!
//! let pooled = pool(&[0.30, 0.24, 0.41, 0.19], &[0.010, 0.014, 0.012, 0.009], &PoolSpec::default())?;
//! let summary = pooled.summary.unwrap();
//! assert!((summary.estimate - 0.279_93).abs() < 1e-4);
//! assert_eq!(pooled.finding, Finding::WorksOnAverage);
//! # Ok::<(), brightspot::Error>(())
//! ```

mod collapse;
mod heterogeneity;
mod interval;
mod predictive;
mod sites;
mod spec;
mod summary;

pub use collapse::{Collapsed, collapse};
pub use heterogeneity::Method;
pub use interval::{Interval, Prediction};
pub use sites::SiteRow;
pub use spec::{MIN_SITES, PoolSpec};
pub use summary::{Finding, Pool, Summary, pool, summarise};
