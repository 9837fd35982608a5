//! Many questions at once: adjusted p-values, and false discovery rates from probabilities.

use crate::{Error, Result};

/// How p-values are adjusted for their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Adjustment {
    /// Holm (1979, Scand. J. Stat. 6:65): the chance of any false rejection, under any dependence.
    Holm,
    /// Benjamini & Hochberg (1995, JRSS B 57:289): the expected share of false rejections.
    BenjaminiHochberg,
    /// Benjamini & Yekutieli (2001, Ann. Stat. 29:1165): the same under any dependence.
    BenjaminiYekutieli,
}

/// Adjusted p-values, in the order given.
///
/// With p sorted upwards and m of them: Holm `max over j <= i of (m - j + 1) p_j`; Benjamini-Hochberg
/// `min over j >= i of m p_j / j`, times `sum 1/k` for Benjamini-Yekutieli; none above 1. A NaN stays and does not count in m (as in R's
/// `p.adjust`).
///
/// # Errors
/// [`Error::InvalidValue`] for a value outside \[0, 1\].
///
/// ```
/// use brightspot::stats::multiplicity::{Adjustment, adjust};
/// let q = adjust(&[0.01, 0.04, 0.03], Adjustment::BenjaminiHochberg)?;
/// assert!(q.iter().zip([0.03, 0.04, 0.04]).all(|(a, b)| (a - b).abs() < 1e-15));
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn adjust(p: &[f64], method: Adjustment) -> Result<Vec<f64>> {
    check(p, "p-values")?;
    let order = sorted(p, f64::total_cmp);
    let m = order.len() as f64;
    let value = |&i: &usize| p.get(i).copied().unwrap_or(f64::NAN);
    let mut adjusted = vec![f64::NAN; p.len()];
    let mut set = |i: usize, q: f64| {
        if let Some(cell) = adjusted.get_mut(i) {
            *cell = q.min(1.0);
        }
    };
    match method {
        Adjustment::Holm => {
            let mut worst = 0.0_f64;
            for (rank, i) in order.iter().enumerate() {
                worst = worst.max((m - rank as f64) * value(i));
                set(*i, worst);
            }
        }
        Adjustment::BenjaminiHochberg | Adjustment::BenjaminiYekutieli => {
            let dependence = match method {
                Adjustment::BenjaminiYekutieli => (1..=order.len()).map(|k| 1.0 / k as f64).sum(),
                _ => 1.0,
            };
            let mut best = f64::INFINITY;
            for (rank, i) in order.iter().enumerate().rev() {
                best = best.min(dependence * m / (rank + 1) as f64 * value(i));
                set(*i, best);
            }
        }
    }
    Ok(adjusted)
}

/// The Bayesian false discovery rate of the set that reaches down to each item.
///
/// With probabilities sorted downwards, `q_i = mean over j <= i of (1 - P_j)`: the expected share of false items among
/// those at least as probable. Equal probabilities share the value of the last of them, so that the order of the input
/// does not matter. The largest set with an expected share of at most `alpha` is that of the items with q <= alpha. A
/// NaN stays and is in no set.
///
/// Newton, Noueiry, Sarkar & Ahlquist (2004, Biostatistics 5:155).
///
/// # Errors
/// [`Error::InvalidValue`] for a value outside \[0, 1\].
///
/// ```
/// use brightspot::stats::multiplicity::bayesian_fdr;
/// let q = bayesian_fdr(&[0.7, 0.95, 0.85])?;
/// assert!(q.iter().zip([0.5 / 3.0, 0.05, 0.1]).all(|(a, b)| (a - b).abs() < 1e-15));
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn bayesian_fdr(prob: &[f64]) -> Result<Vec<f64>> {
    check(prob, "probabilities")?;
    let order = sorted(prob, |a, b| b.total_cmp(a));
    let value = |i: usize| prob.get(i).copied().unwrap_or(f64::NAN);
    let mut q = vec![f64::NAN; prob.len()];
    let (mut expected, mut taken) = (0.0, 0_usize);
    for ties in order.chunk_by(|a, b| value(*a).total_cmp(&value(*b)).is_eq()) {
        expected += ties.iter().map(|&i| 1.0 - value(i)).sum::<f64>();
        taken += ties.len();
        for &i in ties {
            if let Some(cell) = q.get_mut(i) {
                *cell = expected / taken as f64;
            }
        }
    }
    Ok(q)
}

fn check(values: &[f64], what: &str) -> Result<()> {
    match values.iter().enumerate().find(|(_, v)| **v < 0.0 || **v > 1.0) {
        None => Ok(()),
        Some((i, v)) => Err(Error::InvalidValue {
            what: what.into(),
            found: format!("{v} at position {i}"),
            remedy: "give values between 0 and 1".into(),
        }),
    }
}

/// The positions of the values that are not NaN, in order.
fn sorted(values: &[f64], order: impl Fn(&f64, &f64) -> std::cmp::Ordering) -> Vec<usize> {
    let mut places: Vec<(usize, f64)> = values.iter().copied().enumerate().filter(|(_, v)| !v.is_nan()).collect();
    places.sort_by(|a, b| order(&a.1, &b.1));
    places.into_iter().map(|(i, _)| i).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_by_hand_and_nan_does_not_count() {
        let q = adjust(&[0.01, f64::NAN, 0.04, 0.03], Adjustment::Holm).unwrap();
        for (q, expected) in q.iter().zip([0.03, f64::NAN, 0.06, 0.06]) {
            assert!((q - expected).abs() < 1e-15 || (q.is_nan() && expected.is_nan()));
        }
        assert_eq!(adjust(&[1.2], Adjustment::Holm).unwrap_err().code(), "invalid_value");
        assert_eq!(bayesian_fdr(&[-0.1]).unwrap_err().code(), "invalid_value");
    }

    #[test]
    #[allow(clippy::print_stdout)] // says that it was skipped
    fn r_is_reproduced() {
        let path = std::env::var_os("BRIGHTSPOT_REFERENCE")
            .map(|folder| std::path::PathBuf::from(folder).join("bright-spots/padjust.csv"));
        let Some(text) = path.and_then(|p| std::fs::read_to_string(p).ok()) else {
            println!("skipped: BRIGHTSPOT_REFERENCE has no bright-spots/padjust.csv");
            return;
        };
        // p, BH, BY, holm, ...; NA where there is no p-value.
        let rows: Vec<Vec<f64>> =
            text.lines().skip(1).map(|l| l.split(',').map(|v| v.parse().unwrap_or(f64::NAN)).collect()).collect();
        let p: Vec<f64> = rows.iter().map(|r| r[0]).collect();
        assert!(p.len() > 100);
        for (method, column) in
            [(Adjustment::BenjaminiHochberg, 1), (Adjustment::BenjaminiYekutieli, 2), (Adjustment::Holm, 3)]
        {
            for (q, row) in adjust(&p, method).unwrap().iter().zip(&rows) {
                let expected = row[column];
                assert!((q - expected).abs() < 1e-14 || (q.is_nan() && expected.is_nan()), "{q} {expected}");
            }
        }
    }

    #[test]
    fn equal_probabilities_share_their_rate() {
        let q = bayesian_fdr(&[0.9, 0.8, 0.9, 0.8, f64::NAN]).unwrap();
        for (q, expected) in q.iter().zip([0.1, 0.15, 0.1, 0.15]) {
            assert!((q - expected).abs() < 1e-15);
        }
        assert!(q[4].is_nan());
    }
}
