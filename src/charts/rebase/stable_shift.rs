//! The Stable Shift Algorithm: a long run on one side of the mean starts a new period that later points must not take
//! back.

use std::ops::Range;

use super::{Decision, DecisionCode, Limits, Points, Proposal, Rebase, RebaseSpec};
use crate::stats::runs::Side;
use crate::{Error, Result};

/// The constant d2 of two values, to the three digits that the algorithm's reference uses.
const D2: f64 = 1.128;

/// A moving range beyond so many mean moving ranges is left out of the mean.
const SCREEN: f64 = 3.267;

/// A stretch of points with one centre line.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// The rows of its points.
    pub rows: Vec<usize>,
    /// How many of them, from the first, its limits were computed in.
    pub n_calculation: usize,
    /// Rows among these that lie outside and were left out of the limits.
    pub excluded: Vec<usize>,
    /// The limits at each of `rows`.
    pub limits: Vec<Limits>,
}

/// The periods of a series, and why there are not more of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StableShift {
    /// The periods, which cover all points that count; none where there are too few.
    pub periods: Vec<Period>,
    /// Every candidate, in the order in which it was met.
    pub log: Vec<Decision>,
}

impl StableShift {
    /// Each period but the first as a proposal.
    pub fn into_rebase(self) -> Rebase {
        let pairs = self.periods.iter().zip(self.periods.iter().skip(1));
        let proposals = pairs.filter_map(|(last, new)| {
            let (limits_before, limits_after) = (*last.limits.last()?, *new.limits.first()?);
            Some(Proposal {
                n_before: last.n_calculation - last.excluded.len(),
                n_after: new.n_calculation - new.excluded.len(),
                limits_before: Some(limits_before),
                limits_after: Some(limits_after),
                ..Proposal::new(*new.rows.first()?, limits_before.center, limits_after.center)
            })
        });
        Rebase { proposals: proposals.collect(), log: self.log, notes: Vec::new() }
    }
}

/// The Stable Shift Algorithm, with any limits.
///
/// The first period's limits rest on `period_min` points, up to `max_exclusions` of which are left out because they lie
/// outside, the farthest first. A run of `shift_length` points on one side of the centre line is a shift. From the end
/// of a period's points on, the start of each shift (or its next point, inside of one that goes on) is a candidate for
/// a new period of `period_min` points with limits of their own. It is kept unless
///
/// - about the new centre line, a shift back against the direction of the first starts in the period, the period's
///   first run aside; or
/// - with `no_regrets`, the period ends in a run against that direction that goes on to the end of the data and may
///   become one.
///
/// # Arguments
/// `values`, `is_excluded`: as in [`super::RebaseEngine::propose`]. `limits`: given the rows that limits shall rest on
/// and the rows that they are drawn at, the limits at each of the latter (they may step with a denominator); `None`
/// where there are none.
///
/// # Missing values
/// Rows without a value, and excluded rows, are as if they were not there.
///
/// # Errors
/// [`Error::InvalidOption`] for an impossible `spec`, or if `is_excluded` is not as long as `values`.
///
/// # Reference
/// "Re-establishing control limits in SPC analyses: the stable shift algorithm" (2025), as in autospc 0.0.0.9051.
///
/// ```
/// use brightspot::charts::rebase::{RebaseMethod, RebaseSpec, individuals, stable_shift};
///
/// let values: Vec<f64> = (0..48).map(|i| f64::from(i % 3) + if i < 24 { 10.0 } else { 20.0 }).collect();
/// let spec = RebaseSpec::of(RebaseMethod::StableShift);
/// let found = stable_shift(&values, &[], &spec, |basis, drawn| {
///     individuals(&values, basis).map(|limits| vec![limits; drawn.len()])
/// })?;
/// let centers: Vec<f64> = found.periods.iter().map(|period| period.limits[0].center).collect();
/// assert!((centers[0] - 11.0).abs() < 0.1 && (centers[1] - 21.0).abs() < 0.1);
/// // The run above the old line starts with the last value of the old level.
/// assert_eq!(found.periods[1].rows[0], 23);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn stable_shift(
    values: &[f64],
    is_excluded: &[bool],
    spec: &RebaseSpec,
    mut limits: impl FnMut(&[usize], &[usize]) -> Option<Vec<Limits>>,
) -> Result<StableShift> {
    spec.validate()?;
    if spec.method != super::RebaseMethod::StableShift {
        return Err(Error::option("method", spec.method.as_str(), "stable_shift here"));
    }
    Ok(run(&Points::of(values, is_excluded)?, spec, &mut limits))
}

/// The limits of an individuals chart that rest on the given rows: mean +- 3 mean moving ranges / 1.128, moving ranges
/// above 3.267 times their mean left out once. `None` with fewer than two rows.
///
/// ```
/// use brightspot::charts::rebase::individuals;
/// let limits = individuals(&[1.0, 2.0, 1.0, 2.0], &[0, 1, 2, 3]).unwrap();
/// assert_eq!(limits.center, 1.5);
/// assert!((limits.ucl - (1.5 + 3.0 / 1.128)).abs() < 1e-12);
/// ```
pub fn individuals(values: &[f64], rows: &[usize]) -> Option<Limits> {
    let points: Vec<f64> = rows.iter().filter_map(|&row| values.get(row)).copied().collect();
    let center = super::split::centre(&points);
    let ranges: Vec<f64> = points.iter().zip(points.iter().skip(1)).map(|(one, next)| (next - one).abs()).collect();
    let mean = crate::stats::summary::mean(&ranges)?;
    let is_within = |range: &&f64| **range < SCREEN * mean;
    let has_wild = ranges.iter().any(|range| *range > SCREEN * mean);
    let screened: Vec<f64> = ranges.iter().filter(is_within).copied().collect();
    let mean = if has_wild { crate::stats::summary::mean(&screened)? } else { mean };
    Some(Limits { center, lcl: center - 3.0 * mean / D2, ucl: center + 3.0 * mean / D2 })
}

type LimitsOf<'a> = dyn FnMut(&[usize], &[usize]) -> Option<Vec<Limits>> + 'a;

pub(super) fn run(points: &Points, spec: &RebaseSpec, limits: &mut LimitsOf<'_>) -> StableShift {
    let mut found = StableShift::default();
    let record = |found: &mut StableShift, at: Option<usize>, code| {
        found.log.push(Decision::new(at.and_then(|point| points.row(point)), code));
    };
    if points.len() < spec.period_min {
        record(&mut found, None, DecisionCode::TooFewPoints);
        return found;
    }
    let Some(mut current) = Candidate::at(0, points, spec, limits) else {
        record(&mut found, Some(0), DecisionCode::NoLimits);
        return found;
    };
    let mut at = spec.period_min;
    loop {
        if points.len() - at.min(points.len()) < spec.period_min {
            record(&mut found, Some(at), DecisionCode::TooFewPoints);
            break;
        }
        let (start, following) = if current.is_in_shift(at, spec.shift_length) {
            (at, None)
        } else {
            let mut starts = current.shift_starts(at);
            let Some(first) = starts.next() else {
                record(&mut found, Some(at), DecisionCode::NoShift);
                break;
            };
            (first, starts.next())
        };
        if points.len() - start < spec.period_min {
            record(&mut found, Some(start), DecisionCode::TooFewPoints);
            break;
        }
        let direction = current.side(start);
        let Some(candidate) = Candidate::at(start, points, spec, limits) else {
            record(&mut found, Some(start), DecisionCode::NoLimits);
            break;
        };
        let refusal = if candidate.shifts_back(direction, spec.period_min) {
            Some(DecisionCode::OppositeShift)
        } else if spec.no_regrets && candidate.may_shift_back(direction, spec.period_min) {
            Some(DecisionCode::OpenRun)
        } else {
            None
        };
        record(&mut found, Some(start), refusal.unwrap_or(DecisionCode::Proposed));
        if refusal.is_none() {
            found.periods.push(current.period(start, points, spec.period_min));
            current = candidate;
            at = start + spec.period_min;
        } else {
            let goes_on = current.all_in_shift(start..start + spec.shift_length);
            at = following.filter(|_| !goes_on).unwrap_or(start + 1);
        }
    }
    found.periods.push(current.period(points.len(), points, spec.period_min));
    found
}

/// A period as if it went on to the end of the data.
struct Candidate {
    start: usize,
    excluded: Vec<usize>,
    limits: Vec<Limits>,
    sides: Vec<Side>,
    is_shift: Vec<bool>,
}

impl Candidate {
    /// The period from a point on; `None` where it has no limits.
    fn at(start: usize, points: &Points, spec: &RebaseSpec, limits: &mut LimitsOf<'_>) -> Option<Self> {
        let rows = points.rows.get(start..)?;
        let values = points.y.get(start..)?;
        let calculation = rows.get(..spec.period_min)?;
        let mut excluded: Vec<usize> = Vec::new();
        let basis = |excluded: &[usize]| -> Vec<usize> {
            calculation.iter().copied().filter(|row| !excluded.contains(row)).collect()
        };
        for _ in 0..spec.max_exclusions {
            let drawn = limits(&basis(&excluded), calculation)?;
            let outside: Vec<(usize, f64)> = calculation
                .iter()
                .zip(values)
                .zip(&drawn)
                .filter(|((row, _), _)| !excluded.contains(row))
                .map(|((&row, &value), limit)| (row, (value - limit.ucl).max(limit.lcl - value)))
                .filter(|(_, distance)| *distance > 0.0)
                .collect();
            let farthest = outside.iter().map(|(_, distance)| *distance).fold(0.0, f64::max);
            // The farthest, with those exactly as far.
            excluded.extend(outside.iter().filter(|(_, distance)| *distance >= farthest).map(|(row, _)| *row));
            excluded.truncate(spec.max_exclusions);
        }
        let limits = limits(&basis(&excluded), rows).filter(|limits| limits.len() == rows.len())?;
        let sides: Vec<Side> =
            values.iter().zip(&limits).map(|(&value, limit)| Points::side(value, limit.center)).collect();
        let is_shift = sides
            .chunk_by(|one, next| one == next)
            .flat_map(|run| {
                let is_long = run.len() >= spec.shift_length && run.first() != Some(&Side::On);
                std::iter::repeat_n(is_long, run.len())
            })
            .collect();
        Some(Self { start, excluded, limits, sides, is_shift })
    }

    fn side(&self, point: usize) -> Side {
        point.checked_sub(self.start).and_then(|index| self.sides.get(index)).copied().unwrap_or(Side::On)
    }

    fn is_shift(&self, point: usize) -> bool {
        point.checked_sub(self.start).and_then(|index| self.is_shift.get(index)).copied().unwrap_or(false)
    }

    fn all_in_shift(&self, mut points: Range<usize>) -> bool {
        points.all(|point| self.is_shift(point))
    }

    /// Whether a point lies in a shift that goes on for another shift's length from it.
    fn is_in_shift(&self, point: usize, shift_length: usize) -> bool {
        let side = self.side(point);
        self.is_shift(point) && (point..point + shift_length).all(|next| self.side(next) == side)
    }

    /// The first points of shifts, from a point on.
    fn shift_starts(&self, from: usize) -> impl Iterator<Item = usize> {
        (from..self.start + self.sides.len()).filter(|&point| {
            let is_first = point == self.start || !self.is_shift(point - 1) || self.side(point) != self.side(point - 1);
            self.is_shift(point) && is_first
        })
    }

    /// Whether a shift against `direction` has a point among the period's first `length`, the first run aside.
    fn shifts_back(&self, direction: Side, length: usize) -> bool {
        let first = self.sides.first().copied().unwrap_or(Side::On);
        let n_first = self.sides.iter().take_while(|side| **side == first).count();
        let points = self.sides.iter().zip(&self.is_shift).take(length).skip(n_first);
        points.into_iter().any(|(side, is_shift)| *is_shift && *side != direction)
    }

    /// Whether the period's first `length` points end in a run against `direction` that goes on to the last point.
    fn may_shift_back(&self, direction: Side, length: usize) -> bool {
        let is_useful = |side: &&Side| **side != Side::On;
        let Some(last) = self.sides.iter().take(length).rev().find(is_useful).copied() else { return false };
        last != direction && self.sides.iter().skip(length).filter(is_useful).all(|side| *side == last)
    }

    /// The period up to before a point.
    fn period(&self, end: usize, points: &Points, n_calculation: usize) -> Period {
        let rows = points.rows.get(self.start..end).unwrap_or(&[]).to_vec();
        let limits = self.limits.iter().take(rows.len()).copied().collect();
        Period { n_calculation, excluded: self.excluded.clone(), rows, limits }
    }
}
