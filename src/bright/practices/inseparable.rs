//! Practices that go together: the same rooms use both, so nothing in the data says which of them matters.

use super::result::PracticeRow;
use super::spec::{INSEPARABLE, PracticeUse};
use crate::{Note, NoteCode};

/// Two practices, by position, and the correlation of their use over units.
pub(super) struct Pair {
    first: usize,
    second: usize,
    correlation: f64,
    n_units: usize,
}

impl Pair {
    pub(super) fn note(&self, uses: &[&PracticeUse]) -> Note {
        let name = |k: usize| uses.get(k).map_or("", |u| u.name.as_str());
        Note::new(NoteCode::Inseparable, self.n_units).with_value(self.correlation).at(format!(
            "{}, {}",
            name(self.first),
            name(self.second)
        ))
    }
}

/// The pairs of judged practices whose use is correlated beyond [`INSEPARABLE`], one way or the other.
pub(super) fn pairs(uses: &[&PracticeUse], rows: &[PracticeRow]) -> Vec<Pair> {
    let judged: Vec<(usize, &PracticeUse)> = uses
        .iter()
        .zip(rows)
        .enumerate()
        .filter(|(_, (_, r))| r.estimate.is_some())
        .map(|(k, (u, _))| (k, *u))
        .collect();
    let mut found = Vec::new();
    for (place, (first, a)) in judged.iter().enumerate() {
        for (second, b) in judged.iter().skip(place + 1) {
            let both: Vec<(f64, f64)> = a.dose.iter().zip(&b.dose).filter_map(|(a, b)| Some(((*a)?, (*b)?))).collect();
            if let Some(correlation) = correlation(&both)
                && correlation.abs() >= INSEPARABLE
            {
                found.push(Pair { first: *first, second: *second, correlation, n_units: both.len() });
            }
        }
    }
    found
}

/// Writes the names of the others on both rows of every pair.
pub(super) fn mark(rows: &mut [PracticeRow], pairs: &[Pair]) {
    for pair in pairs {
        for (own, other) in [(pair.first, pair.second), (pair.second, pair.first)] {
            let name = rows.get(other).map(|row| row.practice.clone());
            if let (Some(row), Some(name)) = (rows.get_mut(own), name) {
                row.inseparable_from.push(name);
            }
        }
    }
}

/// Pearson's; `None` where one of them does not vary.
fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let n = pairs.len() as f64;
    let (x, y) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let sum = |f: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(a, b)| f(a - x, b - y)).sum::<f64>();
    let (xx, yy) = (sum(&|a, _| a * a), sum(&|_, b| b * b));
    (xx > 0.0 && yy > 0.0).then(|| sum(&|a, b| a * b) / (xx * yy).sqrt())
}
