//! What must be said about the rows before anything is said about units.

use super::conditions::Condition;
use super::input::BrightInput;
use super::spec::{CEILING_ROWS, CEILING_SHARE};
use crate::mixed::{Covariate, Effect};
use crate::{Note, NoteCode};

/// Conditions that are the same throughout each group while groups differ: what they do cannot be told from the groups.
pub(super) fn confounded(input: &BrightInput, conditions: &[Condition], effects: &[Effect]) -> Vec<Note> {
    if input.within.is_empty() {
        return Vec::new();
    }
    let groups = effects.iter().map(|e| e.parent + 1).max().unwrap_or(0);
    let same = |condition: &Condition| {
        // Means of rows that all hold one value are that value, to rounding.
        let size = condition.means.iter().fold(0.0_f64, |a, v| a.max(v.abs()));
        let mut first: Vec<Option<f64>> = vec![None; groups];
        condition.means.iter().zip(effects).all(|(value, effect)| match first.get_mut(effect.parent) {
            Some(cell) => (*cell.get_or_insert(*value) - value).abs() <= 1e-9 * size,
            None => true,
        })
    };
    let names: Vec<&Condition> = conditions.iter().filter(|c| same(c)).collect();
    let of_covariate = |covariate: &&Covariate| {
        names.iter().any(|c| match covariate {
            Covariate::Numeric { name, .. } => c.name == *name,
            Covariate::Categorical { name, levels, .. } => {
                levels.iter().any(|level| c.name.strip_prefix(name) == Some(level.as_str()))
            }
        })
    };
    let found = input.adjust.iter().filter(of_covariate);
    found.map(|c| Note::new(NoteCode::ConfoundedCondition, groups).at(c.name())).collect()
}

/// The standard deviation of the outcome, pooled within periods where there are several.
pub(super) fn sd_within(outcome: &[f64], periods: Option<&[u32]>) -> f64 {
    // Count, sum and squares about the first value of every period.
    let mut sums: Vec<(f64, f64, f64)> = Vec::new();
    let Some(&shift) = outcome.first() else { return 0.0 };
    let mut add = |period: u32, y: f64| {
        let place = period as usize;
        if sums.len() <= place {
            sums.resize(place + 1, (0.0, 0.0, 0.0));
        }
        if let Some(sum) = sums.get_mut(place) {
            let value = y - shift;
            *sum = (sum.0 + 1.0, sum.1 + value, sum.2 + value * value);
        }
    };
    match periods {
        Some(periods) => periods.iter().zip(outcome).for_each(|(period, y)| add(*period, *y)),
        None => outcome.iter().for_each(|y| add(0, *y)),
    }
    let (mut squares, mut freedom) = (0.0, 0.0);
    for (n, sum, square) in sums.into_iter().filter(|(n, ..)| *n > 0.0) {
        squares += (square - sum * sum / n).max(0.0);
        freedom += n - 1.0;
    }
    if freedom > 0.0 { (squares / freedom).sqrt() } else { 0.0 }
}

/// Where many rows share the highest outcome, nobody can be seen to be better.
pub(super) fn ceiling(outcome: &[f64]) -> Option<Note> {
    let highest = outcome.iter().copied().max_by(f64::total_cmp)?;
    let n = outcome.iter().filter(|y| y.total_cmp(&highest).is_eq()).count();
    (n >= CEILING_ROWS && n as f64 > CEILING_SHARE * outcome.len() as f64)
        .then(|| Note::new(NoteCode::Ceiling, n).with_value(highest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_within_periods_ignores_what_periods_differ_by() {
        // Within each period 1, 2, 3: variance 1, whatever is added to one of them.
        let y = [1.0, 2.0, 3.0, 101.0, 102.0, 103.0];
        assert!((sd_within(&y, Some(&[0, 0, 0, 1, 1, 1])) - 1.0).abs() < 1e-12);
        assert!(sd_within(&y, None) > 50.0);
    }

    #[test]
    fn a_ceiling_takes_many_rows() {
        let mut y: Vec<f64> = (0..300).map(f64::from).collect();
        assert!(ceiling(&y).is_none());
        y.extend([300.0; 19]);
        assert!(ceiling(&y).is_none());
        y.push(300.0);
        assert_eq!(ceiling(&y).unwrap().count, 20);
    }
}
