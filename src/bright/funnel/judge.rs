//! Limits, and the units against them.

use super::dispersion::Dispersion;
use super::exact::{binomial_limit, binomial_p, poisson_limits, poisson_p};
use super::{FunnelInput, FunnelSpec, Kind, Overdispersion};
use crate::stats::multiplicity::{Adjustment, adjust};
use crate::stats::normal;
use crate::{Error, Note, NoteCode, Result};

/// The limits of one level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The lower one.
    pub lo: f64,
    /// The upper one.
    pub hi: f64,
}

/// One unit of a funnel chart.
#[derive(Debug, Clone, PartialEq)]
pub struct FunnelUnit {
    /// Its value as it is read: a share, a ratio, a mean.
    pub shown: f64,
    /// Its size.
    pub size: f64,
    /// Its distance from the target in standard errors of chance alone.
    pub z: f64,
    /// The same with overdispersion allowed for.
    pub z_adjusted: f64,
    /// Two-sided p: exact for counts without overdispersion, else normal.
    pub p: f64,
    /// Benjamini & Hochberg's q over all units.
    pub q_value: f64,
    /// Its limits at every level asked for, and whether it lies outside.
    pub bounds: Vec<(Bounds, bool)>,
}

/// The limits at one size.
#[derive(Debug, Clone, PartialEq)]
pub struct CurvePoint {
    /// The size.
    pub size: f64,
    /// The limits at every level asked for.
    pub bounds: Vec<Bounds>,
}

/// A funnel chart in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Funnel {
    /// The value that units are compared with, as it is read.
    pub target: f64,
    /// How much units scatter.
    pub dispersion: Dispersion,
    /// The units, in the order given.
    pub units: Vec<FunnelUnit>,
    /// The limits over the range of sizes.
    pub curve: Vec<CurvePoint>,
    /// Caveats.
    pub notes: Vec<Note>,
}

/// At how many sizes the limits are given.
const CURVE_POINTS: usize = 120;
/// Below this size limits are rough.
const SMALL: f64 = 10.0;

/// A funnel chart: the scale of each [`Kind`], scatter as in [`Dispersion`], limits `back(target +- z sqrt(s^2 + tau^2))`.
///
/// # Errors
/// For counts above their denominators, negative counts, values that are not finite, levels out of range.
pub fn funnel(input: &FunnelInput<'_>, spec: &FunnelSpec) -> Result<Funnel> {
    spec.check()?;
    input.check(spec.kind)?;
    let kind = spec.kind;
    let target = spec.target.unwrap_or_else(|| kind.pooled(input.value, input.size));
    check_target(kind, target)?;
    let center = kind.target(target);
    let sd = input.sd.unwrap_or(1.0);
    let rows = || input.value.iter().copied().zip(input.size.iter().copied());
    let se: Vec<f64> = rows().map(|(value, size)| kind.se(value, size, sd)).collect();
    let z: Vec<f64> = rows().zip(&se).map(|((value, size), se)| (kind.scaled(value, size) - center) / se).collect();
    let dispersion = Dispersion::of(&z, &se, spec.trim, spec.trim_share);
    let limits = Limits { kind, how: spec.overdispersion, target, center, dispersion };

    let p: Vec<f64> = rows().zip(&z).zip(&se).map(|(((value, size), z), se)| limits.p(value, size, *z, *se)).collect();
    let q = adjust(&p, Adjustment::BenjaminiHochberg)?;
    let units: Vec<FunnelUnit> = rows()
        .zip(z.iter().zip(&se))
        .zip(p.iter().zip(&q))
        .map(|(((value, size), (&z, &se)), (&p, &q_value))| {
            let shown = kind.shown(value, size);
            let bounds = spec
                .levels
                .iter()
                .map(|&level| {
                    let bounds = limits.at(size, se, level);
                    (bounds, shown < bounds.lo || shown > bounds.hi)
                })
                .collect();
            let z_adjusted = z * se / dispersion.adjusted(se, spec.overdispersion);
            FunnelUnit { shown, size, z, z_adjusted, p, q_value, bounds }
        })
        .collect();
    let curve = sizes(input.size)
        .map(|size| {
            let se = kind.se_at(size, target, sd);
            CurvePoint { size, bounds: spec.levels.iter().map(|&level| limits.at(size, se, level)).collect() }
        })
        .collect();
    let mut notes = Vec::new();
    if dispersion.is_overdispersed {
        notes.push(Note::new(NoteCode::OverdispersedUnits, units.len()).with_value(dispersion.phi));
    }
    let n_small = input.size.iter().filter(|size| **size < SMALL).count();
    if n_small > 0 {
        notes.push(Note::new(NoteCode::SmallSizes, n_small).with_value(SMALL));
    }
    Ok(Funnel { target, dispersion, units, curve, notes })
}

fn check_target(kind: Kind, target: f64) -> Result<()> {
    let (is_possible, allowed) = match kind {
        Kind::Proportion => ((0.0..=1.0).contains(&target), "a share between 0 and 1"),
        Kind::Mean => (target.is_finite(), "a number"),
        Kind::Ratio | Kind::RatioLog | Kind::CountRatio => (target > 0.0 && target.is_finite(), "a positive ratio"),
    };
    if is_possible { Ok(()) } else { Err(Error::option("target", target, allowed)) }
}

struct Limits {
    kind: Kind,
    how: Overdispersion,
    target: f64,
    center: f64,
    dispersion: Dispersion,
}

impl Limits {
    /// Whether the law of the counts itself gives the limits.
    fn is_exact(&self) -> bool {
        self.how == Overdispersion::None && matches!(self.kind, Kind::Proportion | Kind::Ratio | Kind::RatioLog)
    }

    fn at(&self, size: f64, se: f64, level: f64) -> Bounds {
        let tail = (1.0 - level) / 2.0;
        if self.is_exact() {
            if self.kind == Kind::Proportion {
                let limit = |tail| binomial_limit(tail, size, self.target);
                return Bounds { lo: limit(tail), hi: limit(1.0 - tail) };
            }
            let (lo, hi) = poisson_limits(tail, size * self.target);
            return Bounds { lo: lo * self.target, hi: hi * self.target };
        }
        let half = normal::quantile(1.0 - tail) * self.dispersion.adjusted(se, self.how);
        Bounds { lo: self.kind.back(self.center - half), hi: self.kind.back(self.center + half) }
    }

    fn p(&self, value: f64, size: f64, z: f64, se: f64) -> f64 {
        if self.is_exact() {
            return if self.kind == Kind::Proportion {
                binomial_p(value, size, self.target)
            } else {
                poisson_p(value, size * self.target)
            };
        }
        let adjusted = z * se / self.dispersion.adjusted(se, self.how);
        2.0 * normal::cdf(-adjusted.abs())
    }
}

/// Sizes evenly spaced in their logarithms, over the range there is.
fn sizes(size: &[f64]) -> impl Iterator<Item = f64> {
    let positive = || size.iter().copied().filter(|size| *size > 0.0);
    let (low, high) = (positive().fold(f64::INFINITY, f64::min), positive().fold(0.0, f64::max));
    let is_known = low <= high;
    (0..CURVE_POINTS)
        .filter(move |_| is_known)
        .map(move |i| low * (high / low).powf(i as f64 / (CURVE_POINTS - 1) as f64))
}
