//! Several effects of one site as one.

use crate::{Error, Result};

/// One effect per site.
#[derive(Debug, Clone, PartialEq)]
pub struct Collapsed {
    /// The effect of each site.
    pub effect: Vec<f64>,
    /// Its sampling variance.
    pub variance: Vec<f64>,
    /// How many rows it was made of.
    pub n_rows: Vec<usize>,
}

/// One effect for each of `n_sites` sites: the mean of its rows weighted by 1/v, with
/// `variance = sum a_i^2 v_i + 2 r sum_{i<j} a_i a_j sqrt(v_i v_j)`, a = the weights that sum to 1.
///
/// Rows of one site share its pupils and its conditions: r is the correlation of their sampling errors, and as a rule not
/// known. At 1 more rows make a site no more certain; at 0 they count as independent.
///
/// Borenstein, Hedges, Higgins & Rothstein (2009, Introduction to Meta-Analysis, ch. 24).
///
/// # Errors
/// [`Error::InvalidOption`] for a correlation outside \[0, 1\].
pub fn collapse(effect: &[f64], variance: &[f64], site: &[u32], n_sites: usize, correlation: f64) -> Result<Collapsed> {
    if !(0.0..=1.0).contains(&correlation) {
        return Err(Error::option("correlation", correlation, "between 0 and 1"));
    }
    let mut sums = vec![(0.0_f64, 0.0_f64, 0.0_f64, 0_usize); n_sites];
    for ((&y, &v), &site) in effect.iter().zip(variance).zip(site) {
        if let Some((w, wy, root_w, n)) = sums.get_mut(site as usize) {
            *w += 1.0 / v;
            *wy += y / v;
            *root_w += v.sqrt().recip();
            *n += 1;
        }
    }
    // With a = w/W: sum a^2 v = 1/W, and sum a sqrt(v) = sum sqrt(w) / W.
    let variance =
        sums.iter().map(|(w, _, root_w, _)| (1.0 - correlation) / w + correlation * (root_w / w).powi(2)).collect();
    Ok(Collapsed {
        effect: sums.iter().map(|(w, wy, ..)| wy / w).collect(),
        variance,
        n_rows: sums.iter().map(|sum| sum.3).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let made = |r| collapse(&[1.0, 3.0, 5.0], &[1.0, 1.0, 4.0], &[0, 0, 1], 2, r).unwrap();
        assert_eq!((made(0.0).effect, made(0.0).n_rows), (vec![2.0, 5.0], vec![2, 1]));
        for (r, expected) in [(0.0, 0.5), (0.5, 0.75), (1.0, 1.0)] {
            assert!((made(r).variance[0] - expected).abs() < 1e-15 && (made(r).variance[1] - 4.0).abs() < 1e-15);
        }
        assert_eq!(collapse(&[], &[], &[], 0, -0.1).unwrap_err().code(), "invalid_option");
    }
}
