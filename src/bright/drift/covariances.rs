//! How alike a teacher's years are, by the distance between them (appendix A, steps 2 and 3).

use faer::{Mat, Side};

use super::classes::{Class, YearMean, years};
use super::{Components, FEW_PAIRS, Lag};
use crate::{Error, Note, NoteCode, Result};

pub(super) struct Covariances {
    pub(super) components: Components,
    pub(super) lags: Vec<Lag>,
    pub(super) years: Vec<YearMean>,
    pub(super) notes: Vec<Note>,
}

/// A pair of means of the same teacher, and how many students stand behind it.
type Pair = (f64, f64, f64);

/// Variance components, the years' means, and covariances up to `last_lag`.
pub(super) fn covariances(classes: &[Class], total: f64, student: f64, last_lag: usize) -> Result<Covariances> {
    let same_year = pairs_of_classes(classes);
    let teacher_known = (same_year.len() >= 2 * FEW_PAIRS).then(|| covariance(&same_year));
    let class_of = |teacher: f64| (total - student - teacher).max(0.0);
    let by_precision = |teacher: f64| {
        let class = class_of(teacher);
        years(classes, move |c| 1.0 / (class + student / c.n))
    };
    if student <= 0.0 {
        return Err(Error::InvalidValue {
            what: "the outcome".into(),
            found: "no variation within classes".into(),
            remedy: "give one row per student, with the student's own outcome".into(),
        });
    }
    // Without teachers of several classes a year, the variance of one year can only be read off those further apart.
    let mut means = teacher_known.map_or_else(|| years(classes, |class| class.n), by_precision);
    let mut found = by_lag(&means, last_lag);
    let (mut values, n_unknown) = known(&found)?;
    let n_told = n_known(&found);
    let teacher = teacher_known.unwrap_or_else(|| extrapolated(n_told, &values));
    values.insert(0, teacher);
    let mut notes = vec![];
    // The variance of one year is then that covariance by assumption, and a correlation of 1 would be no finding.
    let is_fading_told = teacher_known.is_some() || n_told > 1;
    if !is_fading_told && teacher > 0.0 {
        notes.push(Note::new(NoteCode::FadingUnknown, 1));
    }
    if n_unknown > 0 {
        notes.push(Note::new(NoteCode::FewPairs, n_unknown));
    }
    if teacher <= 0.0 {
        values.fill(0.0);
    } else {
        let n_span = span(&means).max(values.len() - 1) + 1;
        if let Some(possible) = nearest_possible(&values, n_span) {
            let n_moved = values.iter().zip(&possible).filter(|(a, b)| (**a - **b).abs() > 1e-9 * teacher).count();
            notes.push(Note::new(NoteCode::ClippedCovariances, n_moved));
            values = possible;
        }
    }
    let teacher = values.first().copied().unwrap_or(0.0);
    means = by_precision(teacher);
    found.insert(0, same_year);
    let lags = (values.iter().zip(&found).enumerate())
        .map(|(lag, (&covariance, pairs))| Lag {
            lag,
            covariance,
            correlation: (teacher > 0.0 && (is_fading_told || lag == 0)).then(|| covariance / teacher),
            n_pairs: if lag == 0 { pairs.len() / 2 } else { pairs.len() },
        })
        .collect();
    let components = Components { total, student, teacher, class: class_of(teacher) };
    Ok(Covariances { components, lags, years: means, notes })
}

/// All pairs of classes that a teacher has in one year, both ways round, so that none comes first by its name.
fn pairs_of_classes(classes: &[Class]) -> Vec<Pair> {
    let mut pairs = vec![];
    for group in classes.chunk_by(|a, b| (a.teacher, a.year) == (b.teacher, b.year)) {
        for (i, a) in group.iter().enumerate() {
            for b in group.iter().skip(i + 1) {
                pairs.push((a.mean, b.mean, a.n + b.n));
                pairs.push((b.mean, a.mean, a.n + b.n));
            }
        }
    }
    pairs
}

/// The longest distance between two years of one teacher.
fn span(means: &[YearMean]) -> usize {
    let of = |group: &[YearMean]| group.last().zip(group.first()).map_or(0, |(last, first)| last.year - first.year);
    let longest = means.chunk_by(|a, b| a.teacher == b.teacher).map(of).max().unwrap_or(0);
    usize::try_from(longest).unwrap_or(0)
}

/// Pairs of a teacher's years by the distance between them, from 1 to the last that is kept apart.
fn by_lag(means: &[YearMean], last_lag: usize) -> Vec<Vec<Pair>> {
    let mut pairs = vec![vec![]; span(means).min(last_lag)];
    for group in means.chunk_by(|a, b| a.teacher == b.teacher) {
        for (i, a) in group.iter().enumerate() {
            for b in group.iter().skip(i + 1) {
                let place = usize::try_from(b.year - a.year - 1).ok();
                if let Some(list) = place.and_then(|place| pairs.get_mut(place)) {
                    list.push((a.mean, b.mean, a.n + b.n));
                }
            }
        }
    }
    pairs
}

/// The covariance of pairs, weighted by their students.
fn covariance(pairs: &[Pair]) -> f64 {
    let total: f64 = pairs.iter().map(|pair| pair.2).sum();
    let first = pairs.iter().map(|pair| pair.2 * pair.0).sum::<f64>() / total;
    let second = pairs.iter().map(|pair| pair.2 * pair.1).sum::<f64>() / total;
    pairs.iter().map(|pair| pair.2 * (pair.0 - first) * (pair.1 - second)).sum::<f64>() / total
}

/// The covariance at every lag; where it rests on too few pairs, that of the lag before (of the first known, before it).
fn known(by_lag: &[Vec<Pair>]) -> Result<(Vec<f64>, usize)> {
    let raw: Vec<Option<f64>> =
        by_lag.iter().map(|pairs| (pairs.len() >= FEW_PAIRS).then(|| covariance(pairs))).collect();
    let Some(mut last) = raw.iter().flatten().next().copied() else {
        return Err(Error::TooFew {
            what: "the covariance between years".into(),
            needed: format!("{FEW_PAIRS} teachers seen in two years at the same distance"),
            found: by_lag.iter().map(Vec::len).max().unwrap_or(0),
            remedy: "give more teachers or more years; for a single year use bright_spots".into(),
        });
    };
    let n_unknown = raw.iter().filter(|value| value.is_none()).count();
    let filled = raw.iter().map(|value| {
        last = value.unwrap_or(last);
        last
    });
    Ok((filled.collect(), n_unknown))
}

/// How many of the lags 1, 2, 3 are known, up to the first that is not.
fn n_known(by_lag: &[Vec<Pair>]) -> usize {
    by_lag.iter().take(3).take_while(|pairs| pairs.len() >= FEW_PAIRS).count()
}

/// Lags 1, 2, 3 carried on to 0 by the parabola through them; by a line, or as they are, where fewer are known.
fn extrapolated(n_known: usize, values: &[f64]) -> f64 {
    match values {
        [a, b, c, ..] if n_known == 3 => 3.0 * (a - b) + c,
        [a, b, ..] if n_known == 2 => 2.0 * a - b,
        [a, ..] => *a,
        [] => 0.0,
    }
}

/// The nearest covariances by lag that `n` years can have together, or none where these are possible as they are.
///
/// Projections on matrices without a negative eigenvalue and on those with equal diagonals, in turn (Dykstra 1983,
/// J. Am. Stat. Assoc. 78:837); what is then still missing is made up by drawing all lags towards zero.
fn nearest_possible(values: &[f64], n: usize) -> Option<Vec<f64>> {
    let at = |values: &[f64], lag: usize| values.get(lag).or(values.last()).copied().unwrap_or(0.0);
    let matrix = |values: &[f64]| Mat::from_fn(n, n, |i, j| at(values, i.abs_diff(j)));
    let least = |values: &[f64]| -> Option<f64> {
        matrix(values).self_adjoint_eigenvalues(Side::Lower).ok()?.into_iter().reduce(f64::min)
    };
    let slack = 1e-10 * at(values, 0);
    if least(values)? >= -slack {
        return None;
    }
    let mut found = values.to_vec();
    let mut correction = Mat::<f64>::zeros(n, n);
    for _ in 0..500 {
        let moved = matrix(&found) + &correction;
        let eigen = moved.self_adjoint_eigen(Side::Lower).ok()?;
        let roots: Vec<f64> = eigen.S().column_vector().iter().map(|root| root.max(0.0)).collect();
        let scaled = Mat::from_fn(n, n, |i, j| eigen.U()[(i, j)] * at(&roots, j));
        let possible = &scaled * eigen.U().transpose();
        correction = &moved - &possible;
        let mut sums = vec![(0.0, 0.0); found.len()];
        for i in 0..n {
            for j in 0..n {
                if let Some(sum) = sums.get_mut(i.abs_diff(j).min(values.len() - 1)) {
                    sum.0 += possible[(i, j)];
                    sum.1 += 1.0;
                }
            }
        }
        found = sums.iter().map(|(sum, count)| sum / count).collect();
        if least(&found)? >= -slack {
            return Some(found);
        }
    }
    let (own, below) = (at(&found, 0), least(&found)?);
    let share = own / (own - below);
    found.iter_mut().skip(1).for_each(|value| *value *= share);
    Some(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn impossible_covariances_move_to_the_nearest_possible() {
        // Two years cannot covary more than they vary: of [[1, 2], [2, 1]] the nearest is [[1.5, 1.5], [1.5, 1.5]].
        let found = nearest_possible(&[1.0, 2.0], 2).unwrap();
        assert!(found.iter().all(|value| (value - 1.5).abs() < 1e-6), "{found:?}");
        assert!(nearest_possible(&[1.0, 0.5, 0.2], 3).is_none());
        // Years 1 and 2, and 2 and 3, all but the same, and yet 1 and 3 opposed.
        let found = nearest_possible(&[1.0, 0.9, -0.5], 3).unwrap();
        let matrix = Mat::from_fn(3, 3, |i, j| found[i.abs_diff(j)]);
        assert!(matrix.self_adjoint_eigenvalues(Side::Lower).unwrap().iter().all(|root| *root > -1e-9));
    }

    #[test]
    fn three_lags_go_on_as_a_parabola() {
        let pair = (0.0, 0.0, 1.0);
        assert_eq!(n_known(&vec![vec![pair; FEW_PAIRS]; 4]), 3);
        assert_eq!(n_known(&[vec![pair; FEW_PAIRS], vec![], vec![pair; FEW_PAIRS]]), 1);
        // 10 - 2s - s^2 at s = 1, 2, 3.
        assert!((extrapolated(3, &[7.0, 2.0, -5.0]) - 10.0).abs() < 1e-12);
        assert!((extrapolated(2, &[7.0, 5.0]) - 9.0).abs() < 1e-12);
        assert!((extrapolated(1, &[7.0]) - 7.0).abs() < 1e-12);
    }

    #[test]
    fn a_lag_of_few_pairs_takes_the_one_before() {
        let pairs = |n: usize| (0..n).map(|i| (i as f64, i as f64, 1.0)).collect::<Vec<Pair>>();
        let (values, n_unknown) = known(&[pairs(12), pairs(9), pairs(10)]).unwrap();
        assert_eq!(n_unknown, 1);
        let bits: Vec<u64> = values.iter().map(|v| v.to_bits()).collect();
        assert!(bits[0] == bits[1] && bits[2] != bits[1]);
        assert_eq!(known(&[pairs(9)]).unwrap_err().code(), "too_few");
    }
}
