//! Summaries of a slice.

/// The mean; `None` for an empty slice.
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() { None } else { Some(values.iter().sum::<f64>() / values.len() as f64) }
}

/// The median of the values that are not NaN; `None` if there are none. Reorders `values`. Linear in their number.
pub fn median(values: &mut Vec<f64>) -> Option<f64> {
    values.retain(|v| !v.is_nan());
    let n = values.len();
    let (below, upper, _) = if n == 0 { return None } else { values.select_nth_unstable_by(n / 2, f64::total_cmp) };
    let upper = *upper;
    if n % 2 == 1 {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&mut vec![]), None);
        assert_eq!(median(&mut vec![f64::NAN]), None);
        assert_eq!(median(&mut vec![3.0, f64::NAN, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut vec![4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }
}
