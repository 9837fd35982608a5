//! Funnel charts: whether units differ more than their sizes explain, and which lie beyond the limits.
//!
//! ```
//! use brightspot::bright::funnel::{FunnelInput, FunnelSpec, funnel};
//!
//! let passed = [40.0, 45.0, 38.0, 58.0, 21.0, 44.0, 41.0, 19.0];
//! let pupils = [80.0, 88.0, 79.0, 62.0, 44.0, 90.0, 85.0, 36.0];
//! let found = funnel(&FunnelInput { value: &passed, size: &pupils, sd: None }, &FunnelSpec::default())?;
//! assert!((found.target - 306.0 / 564.0).abs() < 1e-12);
//! assert!(found.units[3].p < 0.05);
//! # Ok::<(), brightspot::Error>(())
//! ```

mod dispersion;
mod exact;
mod judge;
mod kind;
mod spec;

pub use dispersion::Dispersion;
pub use judge::{Bounds, CurvePoint, Funnel, FunnelUnit, funnel};
pub use kind::Kind;
pub use spec::{FunnelInput, FunnelSpec, Overdispersion, Trim};
