//! Summaries of a slice.

/// The mean; `None` for an empty slice.
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() { None } else { Some(values.iter().sum::<f64>() / values.len() as f64) }
}

/// The standard deviation, with n - 1; `None` for fewer than two values. In two passes, so that it is exact where the mean is
/// large against the spread.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    let center = mean(values).filter(|_| values.len() > 1)?;
    let squares: f64 = values.iter().map(|value| (value - center).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
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

/// The quantile of values in rising order at a `share` of them: type 7 of Hyndman & Fan (1996, Am. Stat. 50:361), R's
/// default. NaN without a value.
///
/// ```
/// // R: quantile(c(1, 2, 3, 4, 100), .9).
/// assert!((brightspot::stats::summary::quantile(&[1.0, 2.0, 3.0, 4.0, 100.0], 0.9) - 61.6).abs() < 1e-12);
/// ```
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share.clamp(0.0, 1.0) * sorted.len().saturating_sub(1) as f64;
    // A place within the sorted values.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let below = place.floor() as usize;
    let low = sorted.get(below).copied().unwrap_or(f64::NAN);
    let high = sorted.get(below + 1).copied().unwrap_or(low);
    low + (place - place.floor()) * (high - low)
}

/// Numbers that files write where a value is missing or suppressed.
const SENTINELS: [f64; 12] =
    [-9.0, -99.0, -999.0, -9_999.0, -99_999.0, -6_666.0, -7_777.0, -8_888.0, 999.0, 9_999.0, 99_999.0, 999_999.0];

/// How many values look like a code for "missing": one of the usual codes, and farther from all other values than these
/// are from each other. Values that are not finite are passed over. Linear in their number.
///
/// ```
/// use brightspot::stats::summary::n_sentinels;
///
/// assert_eq!(n_sentinels(&[12.0, 15.0, -9999.0, 11.0, -9999.0]), 2);
/// assert_eq!(n_sentinels(&[999.0, 1012.0, 1003.0]), 0);
/// ```
pub fn n_sentinels(values: &[f64]) -> usize {
    // At once where no value is as low or as high as any code: scores in standard deviations.
    let is_within =
        |some: &[f64]| some.iter().map(|v| u8::from(*v <= -9.0) | u8::from(*v >= 999.0)).fold(0, |a, b| a | b) == 0;
    if values.chunks(1024).all(is_within) {
        return 0;
    }
    let is_code = |value: &f64| SENTINELS.iter().any(|code| value.total_cmp(code).is_eq());
    let (mut low, mut high, mut n_codes) = (f64::INFINITY, f64::NEG_INFINITY, 0_usize);
    for value in values.iter().filter(|value| value.is_finite()) {
        if is_code(value) {
            n_codes += 1;
        } else {
            (low, high) = (low.min(*value), high.max(*value));
        }
    }
    if n_codes == 0 || low > high {
        return 0;
    }
    let span = high - low;
    values.iter().filter(|value| is_code(value) && (**value < low - span || **value > high + span)).count()
}

/// Whether some values look like percentages (94) and others like shares (.93) of the same thing: two or more lie within 0 and 1,
/// the rest between 1 and 100, far above, and a hundred times as high within a factor of 1.6.
///
/// ```
/// use brightspot::stats::summary::mixes_scales;
///
/// assert!(mixes_scales(&[0.93, 0.95, 94.0, 0.92, 96.0]));
/// assert!(!mixes_scales(&[0.5, 0.9, 1.4, 3.0]));
/// ```
pub fn mixes_scales(values: &[f64]) -> bool {
    const FACTOR: f64 = 1.6;
    let (mut shares, mut percents) = (Vec::new(), Vec::new());
    for &value in values.iter().filter(|value| value.is_finite() && **value != 0.0) {
        if !(0.0..=100.0).contains(&value) {
            return false;
        }
        if value <= 1.0 { shares.push(value) } else { percents.push(value) }
    }
    if shares.len() < 2 || percents.is_empty() {
        return false;
    }
    let highest = shares.iter().copied().fold(0.0, f64::max);
    let lowest = percents.iter().copied().fold(f64::INFINITY, f64::min);
    let ratio = median(&mut percents).zip(median(&mut shares)).map_or(0.0, |(high, low)| high / low);
    lowest > 10.0 * highest && (100.0 / FACTOR..=100.0 * FACTOR).contains(&ratio)
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
        assert_eq!(standard_deviation(&[1e9 + 1.0, 1e9 + 3.0]), Some(2.0_f64.sqrt()));
        assert_eq!(standard_deviation(&[1.0]), None);
    }
}
