//! The method for each shape of data, and what stands against its numbers.

use super::{Contrast, ContrastMethod, Shape, note};
use crate::stats::gaps::gaps_between_events;
use crate::stats::median_shift::median_shift;
use crate::stats::proportions::{has_both_outcomes, proportions_by_period};
use crate::stats::rates::{RateChange, rates_by_period};
use crate::stats::standard::{proportion_against, rate_against};
use crate::stats::step::{ALPHA, N_MIN, STRONG_PHI, is_constant, step};
use crate::stats::summary::{mean, median};
use crate::stats::tally::{Spread, Tally};
use crate::stats::totals::{RateRatio, two_totals};
use crate::{Error, NoteCode, Result};

/// The change from the earlier to the later rows.
pub(super) fn between(shape: Shape, before: &[Tally], after: &[Tally]) -> Result<Contrast> {
    let has_two_totals = shape == Shape::Rate && before.len() == 1 && after.len() == 1;
    let method = match shape {
        Shape::Mean => ContrastMethod::Step,
        Shape::Median => ContrastMethod::MedianShift,
        Shape::Proportion => ContrastMethod::ProportionsByPeriod,
        Shape::Rate if has_two_totals => ContrastMethod::TwoTotals,
        Shape::Rate => ContrastMethod::RatesByPeriod,
        Shape::Gap => ContrastMethod::GapsBetweenEvents,
    };
    let mut found = Contrast::empty(shape, method, before.len(), after.len());
    found.before = level(shape, before);
    found.after = level(shape, after);
    let shortest = before.len().min(after.len());
    if shortest < N_MIN && !has_two_totals {
        note(&mut found, NoteCode::TooFewPoints, shortest, None);
        return Ok(found);
    }
    if !varies(shape, before, after) {
        note(&mut found, NoteCode::ZeroVariance, 0, None);
        return Ok(found);
    }
    match method {
        ContrastMethod::Step => {
            let step = step(&values(before), &values(after))?;
            found.numbers(step.estimate, (step.lo, step.hi), (step.p_above, step.p_below));
            found.allowed(step.phi, None);
        }
        ContrastMethod::MedianShift => {
            let shift = median_shift(&values(before), &values(after))?;
            found.numbers(shift.estimate, (shift.lo, shift.hi), (shift.p_above, shift.p_below));
            found.allowed(shift.phi, None);
            found.possible(shift.p_smallest);
        }
        ContrastMethod::ProportionsByPeriod => {
            let change = proportions_by_period(before, after)?;
            found.numbers(change.estimate, (change.lo, change.hi), (change.p_above, change.p_below));
            found.spread(&change.spread);
        }
        ContrastMethod::RatesByPeriod => found.rate_change(&rates_by_period(before, after)?),
        ContrastMethod::GapsBetweenEvents => {
            let passed = |phase: &[Tally]| phase.iter().map(|one| one.denominator).collect::<Vec<_>>();
            found.rate_change(&gaps_between_events(&passed(before), &passed(after))?);
        }
        ContrastMethod::TwoTotals | ContrastMethod::ProportionAgainst | ContrastMethod::RateAgainst => {
            found.ratio(&two_totals(Tally::total(before), Tally::total(after), 1.0)?);
            note(&mut found, NoteCode::IndependenceAssumed, 0, None);
        }
    }
    Ok(found)
}

/// All rows together against a standard.
pub(super) fn against(shape: Shape, standard: f64, after: &[Tally]) -> Result<Contrast> {
    let (method, judge): (_, fn(Tally, f64) -> _) = match shape {
        Shape::Proportion => (ContrastMethod::ProportionAgainst, proportion_against),
        Shape::Rate => (ContrastMethod::RateAgainst, rate_against),
        Shape::Mean | Shape::Median | Shape::Gap => {
            return Err(Error::option("standard", standard, "left out, except for a proportion or a rate"));
        }
    };
    let mut found = Contrast::empty(shape, method, 0, after.len());
    if after.is_empty() {
        note(&mut found, NoteCode::TooFewPoints, 0, None);
        return Ok(found);
    }
    let judged = judge(Tally::total(after), standard)?;
    found.before = Some(standard);
    found.after = Some(judged.observed);
    let from_standard = |value: f64| if shape == Shape::Rate { value / standard } else { value - standard };
    let ends = (from_standard(judged.lo), from_standard(judged.hi));
    found.numbers(from_standard(judged.observed), ends, (judged.p_above, judged.p_below));
    note(&mut found, NoteCode::IndependenceAssumed, 0, None);
    found.possible(judged.p_smallest);
    Ok(found)
}

impl Contrast {
    fn numbers(&mut self, estimate: f64, (lo, hi): (f64, f64), (p_above, p_below): (f64, f64)) {
        self.estimate = Some(estimate);
        self.lo = Some(lo);
        self.hi = Some(hi);
        self.p_above = Some(p_above);
        self.p_below = Some(p_below);
    }

    fn allowed(&mut self, phi: f64, dispersion: Option<f64>) {
        self.phi = Some(phi);
        self.dispersion = dispersion;
        if phi >= STRONG_PHI {
            note(self, NoteCode::StrongAutocorrelation, 1, Some(phi));
        }
    }

    fn spread(&mut self, spread: &Spread) {
        self.allowed(spread.phi, Some(spread.dispersion));
    }

    fn ratio(&mut self, ratio: &RateRatio) {
        self.numbers(ratio.estimate, (ratio.lo, ratio.hi), (ratio.p_above, ratio.p_below));
        self.possible(ratio.p_smallest);
    }

    fn rate_change(&mut self, change: &RateChange) {
        self.ratio(&change.ratio);
        self.spread(&change.spread);
    }

    /// Notes data that could not have shown anything.
    fn possible(&mut self, p_smallest: f64) {
        if p_smallest > ALPHA {
            note(self, NoteCode::Powerless, 0, Some(p_smallest));
        }
    }
}

fn values(phase: &[Tally]) -> Vec<f64> {
    phase.iter().map(|one| one.numerator).collect()
}

fn level(shape: Shape, phase: &[Tally]) -> Option<f64> {
    match shape {
        Shape::Mean => mean(&values(phase)),
        Shape::Median => median(&mut values(phase)),
        Shape::Proportion | Shape::Rate | Shape::Gap => (!phase.is_empty()).then(|| Tally::total(phase).rate()),
    }
}

/// Whether there is anything from which the error of a difference can be estimated.
fn varies(shape: Shape, before: &[Tally], after: &[Tally]) -> bool {
    let (total_before, total_after) = (Tally::total(before), Tally::total(after));
    match shape {
        Shape::Mean | Shape::Median => !(is_constant(&values(before)) && is_constant(&values(after))),
        Shape::Proportion => has_both_outcomes(total_before, total_after),
        Shape::Rate => total_before.numerator + total_after.numerator > 0.0,
        Shape::Gap => true,
    }
}
