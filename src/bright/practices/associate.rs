//! One practice: users against others in the model of the search.

use std::collections::BTreeSet;

use super::moments::{Estimate, UnitMoments};
use super::result::{PracticeFinding, PracticePeriod, PracticeRow};
use super::spec::{PracticeSpec, PracticeUse};
use crate::bright::result::{BrightSpots, UnitRow};
use crate::{Note, NoteCode, Result};

/// Everything about one practice that does not depend on the others.
pub(super) fn associate(
    spots: &BrightSpots,
    moments: &UnitMoments,
    practice: &PracticeUse,
    spec: &PracticeSpec,
) -> Result<(PracticeRow, Vec<Note>)> {
    let mut row = counted(spots, practice);
    let mut notes = Vec::new();
    let place = |note: Note| note.at(practice.name.clone());
    let has_groups = !spots.within_names.is_empty();
    let fewest = row.n_users.min(row.n_others);
    if fewest < spec.min_units || (has_groups && row.n_groups < spec.min_groups) {
        notes.push(place(Note::new(NoteCode::FewUsers, fewest).with_value(row.n_groups as f64)));
        return Ok((row, notes));
    }
    let doses = moments.by_cell(&practice.dose);
    let Some(found) = moments.estimate(&doses, None)? else {
        notes.push(place(Note::new(NoteCode::ConfoundedUse, row.n_users)));
        return Ok((row, notes));
    };
    row.estimate = Some(found.value);
    row.se = Some(found.se);
    let most = most_freedom(spots, practice, has_groups);
    row.df = Some(found.df.map_or(most, |df| df.min(most)));
    row.periods = by_period(moments, &doses, &found)?;
    let stays = |p: &PracticePeriod| p.without.map(|w| w.signum() == found.value.signum());
    let signs: Vec<bool> = row.periods.iter().filter_map(stays).collect();
    row.is_stable = (signs.len() > 1).then(|| signs.iter().all(|s| *s));
    Ok((row, notes))
}

/// The counts of a practice, and its use in bright and in ordinary rooms.
fn counted(spots: &BrightSpots, practice: &PracticeUse) -> PracticeRow {
    let of = |unit: usize| practice.dose.get(unit).copied().flatten();
    let known: Vec<(&UnitRow, f64)> =
        spots.units.iter().zip(&practice.dose).filter_map(|(unit, dose)| Some((unit, (*dose)?))).collect();
    let groups = |is_user: bool| -> BTreeSet<&[u32]> {
        known.iter().filter(|(_, d)| (*d > 0.0) == is_user).map(|(unit, _)| unit.within.as_slice()).collect()
    };
    let (users, others) = (groups(true), groups(false));
    let doses: Vec<f64> = known.iter().map(|(_, d)| *d).filter(|d| *d > 0.0).collect();
    let among = |units: &mut dyn Iterator<Item = usize>| -> (usize, Option<f64>) {
        let known: Vec<f64> = units.filter_map(of).collect();
        let used = known.iter().filter(|d| **d > 0.0).count();
        (known.len(), (!known.is_empty()).then(|| used as f64 / known.len() as f64))
    };
    let typical: BTreeSet<usize> = spots.typical.iter().map(|t| t.unit).collect();
    let (n_bright, share_bright) = among(&mut spots.candidates.iter().copied());
    let (n_typical, share_typical) = among(&mut typical.into_iter());
    PracticeRow {
        practice: practice.name.clone(),
        n_users: doses.len(),
        n_others: known.len() - doses.len(),
        n_unknown: spots.units.len() - known.len(),
        n_groups: users.len(),
        n_groups_both: users.intersection(&others).count(),
        mean_use: crate::stats::summary::mean(&doses),
        estimate: None,
        se: None,
        df: None,
        p_value: None,
        shrunken: None,
        lo: None,
        hi: None,
        prob_positive: None,
        q_value: None,
        q_value_bh: None,
        n_bright,
        share_bright,
        n_typical,
        share_typical,
        periods: Vec::new(),
        is_stable: None,
        inseparable_from: Vec::new(),
        is_candidate: false,
        finding: PracticeFinding::Insufficient,
    }
}

/// No more degrees of freedom than the places between which use varies, less two: where all units of a group do the
/// same, the groups are what was observed, whatever their variance is estimated to be.
fn most_freedom(spots: &BrightSpots, practice: &PracticeUse, has_groups: bool) -> f64 {
    let known: Vec<(&[u32], f64)> = spots
        .units
        .iter()
        .zip(&practice.dose)
        .filter_map(|(unit, dose)| Some((unit.within.as_slice(), (*dose)?)))
        .collect();
    // Units stand in the order of their groups.
    let groups: Vec<&[(&[u32], f64)]> = known.chunk_by(|a, b| a.0 == b.0).collect();
    let is_of_groups =
        has_groups && groups.iter().all(|g| g.windows(2).all(|w| matches!(w, [a, b] if a.1.total_cmp(&b.1).is_eq())));
    let places = if is_of_groups { groups.len() } else { known.len() };
    places.saturating_sub(2).max(1) as f64
}

/// Every period alone, and all but it, at the variances of all.
fn by_period(moments: &UnitMoments, doses: &[Option<f64>], found: &Estimate) -> Result<Vec<PracticePeriod>> {
    let mut periods = Vec::new();
    for (code, label) in (0_u32..).zip(&moments.periods) {
        let chosen = |is_here: bool| -> Vec<Option<f64>> {
            let cells = doses.iter().zip(&moments.period_of_cell);
            cells.map(|(dose, period)| dose.filter(|_| (*period == code) == is_here)).collect()
        };
        let here = chosen(true);
        if here.iter().all(Option::is_none) {
            continue;
        }
        let alone = moments.estimate(&here, Some(&found.theta))?;
        let without = moments.estimate(&chosen(false), Some(&found.theta))?;
        periods.push(PracticePeriod {
            period: label.clone(),
            estimate: alone.as_ref().map(|e| e.value),
            se: alone.as_ref().map(|e| e.se),
            without: without.map(|e| e.value),
        });
    }
    Ok(periods)
}
