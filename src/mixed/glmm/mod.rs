//! Generalised linear mixed models: passes and attendance (logistic), counts (Poisson).
//!
//! g(E y) = offset + X beta + sum over levels of b, b ~ N(0, theta^2) per level, for one factor or factors nested in
//! each other to any depth. The likelihood is Laplace's approximation (one quadrature point at the mode of the
//! effects), maximised over the variances and beta together, as in the second stage of lme4's `glmer`. Everything is
//! linear in rows and groups.
//!
//! ```
//! use brightspot::mixed::{Design, Family, GlmmData, fit_glmm};
//!
//! // Passes of 6 teachers with 20 pupils each.
//! let (passes, teacher) = ([9.0, 12.0, 15.0, 7.0, 17.0, 12.0], [0, 1, 2, 3, 4, 5]);
//! let design = Design::new(6, &[])?;
//! let data = GlmmData::new(&design, Family::Binomial, &passes, Some(&[20.0; 6]), &[&teacher])?;
//! let fit = fit_glmm(&data, &|_, _| Ok(()))?;
//! let effects = fit.effects(0)?;
//! assert!(effects[4].effect > 0.0 && effects[4].sd > effects[4].sd_conditional);
//! # Ok::<(), brightspot::Error>(())
//! ```

mod data;
mod family;
mod fit;
mod laplace;
mod start;

pub use data::GlmmData;
pub use family::Family;
pub use fit::{GlmmFit, fit_glmm};
