//! The change of one measure, by the route that the shape of its data calls for.

use super::Analysis;
use super::notes::Notes;
use crate::measure::{Kind, Measure, Point};
use crate::stats::proportions::{has_both_outcomes, proportions_by_period};
use crate::stats::rate_difference::rate_difference;
use crate::stats::rates::rates_by_period;
use crate::stats::standard::{proportion_against, rate_against};
use crate::stats::step::{ALPHA, N_MIN, STRONG_PHI, is_constant, step, upper_quantile};
use crate::stats::student;
use crate::stats::summary::mean;
use crate::stats::tally::Tally;
use crate::stats::totals::{RateRatio, two_totals};
use crate::{NoteCode, Result};

/// A change with its interval, in the measure's unit and with its own sign.
#[derive(Debug, Clone, Copy)]
pub(super) struct Estimate {
    pub(super) effect: f64,
    pub(super) lo: f64,
    pub(super) hi: f64,
    pub(super) se: Option<f64>,
    pub(super) df: Option<f64>,
    pub(super) p_above: f64,
    pub(super) p_below: f64,
    pub(super) phi: Option<f64>,
    pub(super) dispersion: Option<f64>,
    /// Estimate, lower and upper end of the ratio of two rates.
    pub(super) ratio: Option<[f64; 3]>,
}

/// What a route found: levels, and a change where there is one.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) estimate: Option<Estimate>,
    pub(super) before: Option<f64>,
    pub(super) after: Option<f64>,
}

impl Estimate {
    pub(super) fn new(effect: f64, (lo, hi): (f64, f64), (p_above, p_below): (f64, f64)) -> Self {
        let (se, df, phi, dispersion, ratio) = (None, None, None, None, None);
        Self { effect, lo, hi, se, df, p_above, p_below, phi, dispersion, ratio }
    }

    /// The same change less what was expected without any: the estimates are independent enough to add their variances,
    /// and the interval grows by as much.
    pub(super) fn less(self, expected: f64, variance: f64) -> Result<Self> {
        let effect = self.effect - expected;
        let quantile = upper_quantile(self.df.unwrap_or(1e6))?;
        let more = quantile * variance.sqrt();
        let se = self.se.map(|se| se.hypot(variance.sqrt()));
        let (p_above, p_below) = match (se, self.df) {
            (Some(se), Some(df)) => (student::above(effect / se, df), student::above(-effect / se, df)),
            _ => (self.p_above, self.p_below),
        };
        let lo = effect - (self.effect - self.lo).hypot(more);
        let hi = effect + (self.hi - self.effect).hypot(more);
        Ok(Self { effect, lo, hi, se, p_above, p_below, ..self })
    }
}

/// Compares the points of two windows.
pub(super) fn compare(
    method: Analysis,
    measure: &Measure,
    before: &[Point],
    after: &[Point],
    clumping: f64,
    notes: &mut Notes<'_>,
) -> Result<Found> {
    match method {
        Analysis::Standard => against_standard(measure, after, notes),
        Analysis::Proportions => proportions(measure, before, after, notes),
        Analysis::Rates | Analysis::TwoTotals => rates(method, measure, before, after, clumping, notes),
        // Classes are compared elsewhere.
        Analysis::Auto | Analysis::Series | Analysis::Ancova | Analysis::DifferenceInDifferences => {
            series(before, after, notes)
        }
    }
}

fn values(points: &[Point]) -> Vec<f64> {
    points.iter().map(|point| point.value).collect()
}

fn series(before: &[Point], after: &[Point], notes: &mut Notes<'_>) -> Result<Found> {
    let (before, after) = (values(before), values(after));
    let mut found = Found { estimate: None, before: mean(&before), after: mean(&after) };
    if before.len().min(after.len()) < N_MIN {
        return Ok(found);
    }
    if is_constant(&before) && is_constant(&after) {
        notes.against(NoteCode::ZeroVariance, 0, None);
        return Ok(found);
    }
    let step = step(&before, &after)?;
    found.estimate = Some(Estimate {
        se: Some(step.se),
        df: Some(step.df),
        phi: Some(step.phi),
        ..Estimate::new(step.estimate, (step.lo, step.hi), (step.p_above, step.p_below))
    });
    strong_phi(step.phi, notes);
    Ok(found)
}

fn strong_phi(phi: f64, notes: &mut Notes<'_>) {
    if phi >= STRONG_PHI {
        notes.add(NoteCode::StrongAutocorrelation, 1, Some(phi));
    }
}

/// How many of a measure's units one count over one denominator is: a rate counts per so many.
fn per(measure: &Measure) -> f64 {
    if measure.kind == Kind::Rate { measure.per } else { 1.0 }
}

/// The counts behind points. A count has an exposure of one date.
fn tallies(measure: &Measure, points: &[Point], notes: &mut Notes<'_>) -> Vec<Tally> {
    let counted: Vec<Tally> = points
        .iter()
        .filter_map(|point| {
            let denominator = if measure.kind == Kind::Count { 1.0 } else { point.size? };
            Some(Tally::new(whole(point.value * denominator / per(measure)), denominator))
        })
        .collect();
    if counted.len() < points.len() {
        notes.add(NoteCode::InvalidDenominator, points.len() - counted.len(), None);
    }
    counted
}

/// A count that was divided and multiplied again, without what rounding left of that.
fn whole(count: f64) -> f64 {
    let nearest = count.round();
    if (count - nearest).abs() <= 1e-9 * nearest.abs().max(1.0) { nearest } else { count }
}

fn level(measure: &Measure, counted: &[Tally]) -> Option<f64> {
    (!counted.is_empty()).then(|| Tally::total(counted).rate() * per(measure))
}

fn proportions(measure: &Measure, before: &[Point], after: &[Point], notes: &mut Notes<'_>) -> Result<Found> {
    let (before, after) = (tallies(measure, before, notes), tallies(measure, after, notes));
    let mut found = Found { estimate: None, before: level(measure, &before), after: level(measure, &after) };
    if before.len().min(after.len()) < N_MIN {
        return Ok(found);
    }
    if !has_both_outcomes(Tally::total(&before), Tally::total(&after)) {
        notes.against(NoteCode::ZeroVariance, 0, None);
        return Ok(found);
    }
    let change = proportions_by_period(&before, &after)?;
    found.estimate = Some(Estimate {
        se: Some(change.se),
        df: Some(change.spread.df),
        phi: Some(change.spread.phi),
        dispersion: Some(change.spread.dispersion),
        ..Estimate::new(change.estimate, (change.lo, change.hi), (change.p_above, change.p_below))
    });
    strong_phi(change.spread.phi, notes);
    Ok(found)
}

fn rates(
    method: Analysis,
    measure: &Measure,
    before: &[Point],
    after: &[Point],
    clumping: f64,
    notes: &mut Notes<'_>,
) -> Result<Found> {
    let (before, after) = (tallies(measure, before, notes), tallies(measure, after, notes));
    let mut found = Found { estimate: None, before: level(measure, &before), after: level(measure, &after) };
    let are_totals = are_totals(method, before.len(), after.len());
    if !are_totals && before.len().min(after.len()) < N_MIN {
        return Ok(found);
    }
    let (total_before, total_after) = (Tally::total(&before), Tally::total(&after));
    let n_events = total_before.numerator + total_after.numerator;
    // 0 events, or what would be refused below with its own words.
    #[allow(clippy::float_cmp)]
    if n_events == 0.0 {
        notes.against(NoteCode::ZeroVariance, 0, None);
        return Ok(found);
    }
    let (ratio, mut estimate) = if are_totals {
        if clumping <= 1.0 {
            notes.add(NoteCode::IndependenceAssumed, 0, None);
        }
        let ratio = two_totals(total_before, total_after, clumping)?;
        (ratio, rate_estimate(measure, total_before, total_after, &ratio)?)
    } else {
        let change = rates_by_period(&before, &after)?;
        strong_phi(change.spread.phi, notes);
        let estimate = rate_estimate(measure, total_before, total_after, &change.ratio)?;
        let (phi, dispersion) = (Some(change.spread.phi), Some(change.spread.dispersion));
        (change.ratio, Estimate { df: Some(change.spread.df), phi, dispersion, ..estimate })
    };
    if ratio.p_smallest > ALPHA {
        notes.against(NoteCode::Powerless, 0, Some(ratio.p_smallest));
    }
    estimate.ratio = Some([ratio.estimate, ratio.lo, ratio.hi]);
    found.estimate = Some(estimate);
    Ok(found)
}

/// Whether counts are compared as two totals: asked for, or there is but one on each side.
pub(super) fn are_totals(method: Analysis, n_before: usize, n_after: usize) -> bool {
    let are_asked_for = method == Analysis::TwoTotals && n_before.min(n_after) > 0;
    are_asked_for || (method == Analysis::Rates && n_before == 1 && n_after == 1)
}

/// The difference of two rates, in the measure's unit. The exact test of their ratio decides: where the interval of the
/// difference says otherwise by a hair, its end is moved to the other side of 0.
fn rate_estimate(measure: &Measure, before: Tally, after: Tally, ratio: &RateRatio) -> Result<Estimate> {
    let (effect, lo, hi) = rate_difference(before, after, ratio.inflation)?;
    let lo = if ratio.p_above <= ALPHA { lo.max(f64::MIN_POSITIVE) } else { lo.min(0.0) };
    let hi = if ratio.p_below <= ALPHA { hi.min(-f64::MIN_POSITIVE) } else { hi.max(0.0) };
    let variance = |one: Tally| ratio.inflation * one.numerator / (one.denominator * one.denominator);
    let per = per(measure);
    Ok(Estimate {
        se: Some(per * (variance(before) + variance(after)).sqrt()),
        ..Estimate::new(per * effect, (per * lo, per * hi), (ratio.p_above, ratio.p_below))
    })
}

/// All of the test window together against the measure's standard: what was observed minus what it should be.
fn against_standard(measure: &Measure, after: &[Point], notes: &mut Notes<'_>) -> Result<Found> {
    let counted = tallies(measure, after, notes);
    let Some(standard) = measure.standard.filter(|_| !counted.is_empty()) else {
        notes.against(NoteCode::TooFewPoints, counted.len(), None);
        return Ok(Found::default());
    };
    let total = Tally::total(&counted);
    let per = per(measure);
    let judged = match measure.kind {
        Kind::Proportion => proportion_against(total, standard)?,
        _ => rate_against(total, standard / per)?,
    };
    notes.add(NoteCode::IndependenceAssumed, 0, None);
    if judged.p_smallest > ALPHA {
        notes.against(NoteCode::Powerless, 0, Some(judged.p_smallest));
    }
    let above = |value: f64| value * per - standard;
    let ends = (above(judged.lo), above(judged.hi));
    let estimate = Estimate::new(above(judged.observed), ends, (judged.p_above, judged.p_below));
    Ok(Found { estimate: Some(estimate), before: None, after: Some(judged.observed * per) })
}
