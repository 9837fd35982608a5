//! All practices together: shrunken towards what they show as a whole, with the price of looking at many.

use super::result::{PracticeFinding, PracticeRow};
use super::spec::{INTERVAL, PracticeSpec};
use crate::Result;
use crate::stats::ash::Ash;
use crate::stats::multiplicity::{Adjustment, adjust, bayesian_fdr};
use crate::stats::normal::quantile;
use crate::stats::student;

/// Fills in what depends on the other practices; those with too little evidence are no part of the family.
pub(super) fn judge(rows: &mut [PracticeRow], spec: &PracticeSpec) -> Result<()> {
    let judged = |row: &PracticeRow| Some((row.estimate?, row.se?, row.df?));
    let known: Vec<(f64, f64, f64)> = rows.iter().filter_map(judged).collect();
    if known.is_empty() {
        return Ok(());
    }
    let estimates: Vec<f64> = known.iter().map(|k| k.0).collect();
    let errors: Vec<f64> = known.iter().map(|(b, se, df)| normal_error(*b, *se, *df)).collect();
    let p_values: Vec<f64> = known.iter().map(|(b, se, df)| student::above(b / se, *df)).collect();
    let law = Ash::fit(&estimates, &errors)?;
    let posteriors: Vec<_> = estimates.iter().zip(&errors).map(|(b, s)| law.posterior(*b, *s)).collect();
    let probabilities: Vec<f64> = posteriors.iter().map(|p| p.prob_exceeds(0.0).clamp(0.0, 1.0)).collect();
    let q_values = bayesian_fdr(&probabilities)?;
    let q_values_bh = adjust(&p_values, Adjustment::BenjaminiHochberg)?;
    let values = posteriors.iter().zip(&probabilities).zip(q_values.iter().zip(&q_values_bh)).zip(&p_values);
    let of_family = rows.iter_mut().filter(|row| row.estimate.is_some());
    for (row, (((posterior, &prob), (&q, &q_bh)), &p)) in of_family.zip(values) {
        row.p_value = Some(p);
        row.shrunken = Some(posterior.mean());
        row.lo = Some(posterior.quantile(INTERVAL.0));
        row.hi = Some(posterior.quantile(INTERVAL.1));
        row.prob_positive = Some(prob);
        row.q_value = Some(q);
        row.q_value_bh = Some(q_bh);
        let stands_out = prob >= spec.min_prob && q <= spec.fdr && q_bh <= spec.fdr;
        row.is_candidate = stands_out && row.is_stable != Some(false);
        row.finding = match (stands_out, row.is_candidate) {
            (false, _) => PracticeFinding::NotDistinguishable,
            (true, false) => PracticeFinding::OnePeriod,
            (true, true) => PracticeFinding::Suspected,
        };
    }
    Ok(())
}

/// The standard error with which a normal law gives the estimate the tail that Student's law gives it: a poorly known
/// error counts as a larger one, so that a law of effects for known errors may be used (Lu & Stephens 2019,
/// arXiv:1901.10679, sec. 2).
fn normal_error(estimate: f64, se: f64, df: f64) -> f64 {
    /// Below this t, and beyond the tails that a double holds, the ratio of the two quantiles is taken at the end.
    const RANGE: (f64, f64) = (1e-3, 1e300);
    let t = (estimate / se).abs().clamp(RANGE.0, RANGE.1);
    let p = student::above(t, df);
    let z = -quantile(p);
    if p > 0.0 && z > 0.0 && z.is_finite() { se * (t / z).max(1.0) } else { se }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poorly_known_error_counts_as_larger() {
        // t = 2.776 with 4 degrees of freedom has the two-sided p of z = 1.96.
        let error = normal_error(2.776_445_105_197_79, 1.0, 4.0);
        assert!((2.776_445_105_197_79 / error - 1.959_963_984_540_05).abs() < 1e-9, "{error}");
        assert!((normal_error(2.0, 1.0, 1e9) - 1.0).abs() < 1e-6);
        // Towards t = 0 the ratio of the densities at 0, .3989/.375 for 4 degrees of freedom.
        assert!((normal_error(0.0, 1.0, 4.0) - 0.398_942_280_4 / 0.375).abs() < 1e-4);
        assert!(normal_error(-3.0, 1.0, 4.0) > 1.3);
        assert!(normal_error(1e6, 1.0, 30.0).is_finite());
    }
}
