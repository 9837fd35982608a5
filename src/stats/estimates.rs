//! Estimates with known standard errors, to which laws of true effects are fitted.

use std::collections::BTreeMap;

use crate::{Error, Result};

/// Estimates that count as one: how many, and the means of the estimates, of their squares and of those of their errors.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Bin {
    pub(super) n: f64,
    pub(super) b: f64,
    pub(super) b2: f64,
    pub(super) s2: f64,
}

/// More estimates than this are binned by size and standard error.
const MOST_UNBINNED: usize = 2_000;
/// Bins of the standard error per factor of e, and of the estimate per standard error.
const ERROR_BINS: f64 = 20.0;
const ESTIMATE_BINS: f64 = 10.0;

/// What is no estimate is an error; so is none at all.
pub(super) fn validate(estimates: &[f64], errors: &[f64]) -> Result<()> {
    if estimates.is_empty() {
        return Err(Error::TooFew {
            what: "a distribution of effects".into(),
            needed: "1 estimate".into(),
            found: 0,
            remedy: "give the estimates of the units".into(),
        });
    }
    let is_valid = |(b, s): (&f64, &f64)| b.is_finite() && *s > 0.0 && s.is_finite();
    if estimates.len() != errors.len() || !estimates.iter().zip(errors).all(is_valid) {
        return Err(Error::InvalidValue {
            what: "estimates and their standard errors".into(),
            found: format!("{} and {}, or values that are not finite and positive", estimates.len(), errors.len()),
            remedy: "give one positive standard error per finite estimate".into(),
        });
    }
    Ok(())
}

/// The estimates, one bin each; more than 2,000 in bins within which standard errors differ by 5% and estimates, after
/// `fold`, by a tenth of a standard error. Where a law is symmetrical about zero, `fold` may forget the sign.
pub(super) fn binned(estimates: &[f64], errors: &[f64], fold: impl Fn(f64) -> f64) -> Vec<Bin> {
    let pairs = estimates.iter().map(|b| fold(*b)).zip(errors);
    if estimates.len() <= MOST_UNBINNED {
        return pairs.map(|(b, s)| Bin { n: 1.0, b, b2: b * b, s2: s * s }).collect();
    }
    let smallest = errors.iter().copied().fold(f64::INFINITY, f64::min);
    let mut bins: BTreeMap<(i32, i32), Bin> = BTreeMap::new();
    for (b, s) in pairs {
        #[allow(clippy::cast_possible_truncation)] // the largest share a bin
        let key = (((s / smallest).ln() * ERROR_BINS) as i32, (b / s * ESTIMATE_BINS).floor() as i32);
        let bin = bins.entry(key).or_default();
        bin.n += 1.0;
        bin.b += b;
        bin.b2 += b * b;
        bin.s2 += s * s;
    }
    bins.into_values().map(|bin| Bin { n: bin.n, b: bin.b / bin.n, b2: bin.b2 / bin.n, s2: bin.s2 / bin.n }).collect()
}
