//! Other ways to the same answer: p-values adjusted for their number, and a law of effects that need not be normal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::Prediction;
use super::laws::{Told, raw};
use crate::Result;
use crate::stats::multiplicity::{Adjustment, adjust};
use crate::stats::normal::{cdf, prob_exceeds};
use crate::stats::storey::{NullShare, q_values};

/// One unit's answer by other methods, against peers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Check {
    /// One-sided p-value of "the effect does not exceed the threshold", from the estimate before shrinking.
    pub p_value: Option<f64>,
    /// Adjusted by Benjamini & Hochberg.
    pub bh: Option<f64>,
    /// Adjusted by Benjamini & Yekutieli, which holds under any dependence.
    pub by: Option<f64>,
    /// Storey's q-value.
    pub storey: Option<f64>,
    /// P(effect > threshold) under normal effects.
    pub prob_normal: Option<f64>,
    /// The same under a mixture fitted to the units themselves.
    pub prob_ash: Option<f64>,
    /// The same under a smooth law fitted to the units themselves, less what its own uncertainty takes.
    pub prob_smooth: Option<f64>,
    /// Local false discovery rate under that mixture: P(effect = 0).
    pub lfdr: Option<f64>,
    /// Local false sign rate.
    pub lfsr: Option<f64>,
}

/// The checks of all units; null where the question is not asked or the data say nothing of the unit.
pub(crate) fn checks(
    predictions: &[Prediction],
    is_asked: &[bool],
    told: &[Option<Told>],
    threshold: f64,
) -> Result<Vec<Check>> {
    let p: Vec<f64> = predictions
        .iter()
        .zip(is_asked)
        .map(|(p, asked)| match raw(p).filter(|_| *asked) {
            Some((estimate, error)) => cdf((threshold - estimate) / error),
            None => f64::NAN,
        })
        .collect();
    let (bh, by) = (adjust(&p, Adjustment::BenjaminiHochberg)?, adjust(&p, Adjustment::BenjaminiYekutieli)?);
    let storey = q_values(&p, NullShare::Smoothed)?.q;
    let known = |value: f64| Some(value).filter(|v| !v.is_nan());
    let adjusted = p.iter().zip(&bh).zip(&by).zip(&storey);
    let units = predictions.iter().zip(told).zip(is_asked);
    let found = adjusted.zip(units).map(|((((p, bh), by), storey), ((own, told), &asked))| {
        let told = told.filter(|_| asked);
        let local = told.map(|told| told.mixed);
        Check {
            p_value: known(*p),
            bh: known(*bh),
            by: known(*by),
            storey: known(*storey),
            prob_normal: asked.then(|| prob_exceeds(own.effect, own.sd, threshold)),
            prob_ash: local.map(|p| p.above),
            prob_smooth: told.map(|told| told.smooth),
            lfdr: local.map(|p| p.null),
            lfsr: local.map(|p| p.sign_error),
        }
    });
    Ok(found.collect())
}
