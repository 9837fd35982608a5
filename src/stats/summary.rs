//! Summaries of a slice, and how a number is written for people.

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

/// A number for a sentence: three significant digits, no exponent for everyday sizes.
pub fn brief(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let magnitude = value.abs().log10().floor();
    if !(-4.0..7.0).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    // Between 0 and 6 after the test above.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let decimals = (2.0 - magnitude).max(0.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
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

    #[test]
    fn brief_numbers() {
        for (value, text) in
            [(0.0, "0"), (0.04567, "0.0457"), (12.34, "12.3"), (1234.5, "1234"), (2.0, "2"), (1e-9, "1.00e-9")]
        {
            assert_eq!(brief(value), text);
        }
    }
}
