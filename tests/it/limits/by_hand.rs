//! What can be computed on paper, what is missing, and what is refused.

use brightspot::Error;
use brightspot::charts::{
    ChartKind, Convention, Known, LimitRows, LimitSpec, Lines, LinesSummary, Screening, SigmaEstimator, SizeRole,
    Spread, limit_lines,
};
use brightspot::stats::constants::{c4, c5, range_moments};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{NONE, close, drawn, first, plain};

const NAN: f64 = f64::NAN;

/// `value`s as a kind of chart takes them, with sizes of 10 and spreads of 1 where it needs them.
fn of_kind(spec: &LimitSpec, value: &[f64], is_baseline: &[bool], known: &Known) -> (Lines, LinesSummary) {
    let size = vec![10.0; value.len()];
    let spread = vec![1.0; value.len()];
    let is_sized = matches!(spec.kind.size(), SizeRole::Required | SizeRole::Subgroup);
    let rows = LimitRows {
        value,
        size: if is_sized { &size } else { &[] },
        spread: if spec.spread().is_some() { &spread } else { &[] },
        is_excluded: &[],
        is_baseline,
    };
    drawn(spec, &rows, known)
}

#[test]
fn nothing_varies() {
    for kind in ChartKind::ALL {
        let value = [0.1; 12];
        let (lines, summary) = of_kind(&LimitSpec::new(*kind), &value, &[], &NONE);
        let has_own_scatter = matches!(kind, ChartKind::Xbar | ChartKind::R | ChartKind::S)
            || matches!(kind, ChartKind::P | ChartKind::U | ChartKind::C | ChartKind::Np | ChartKind::G);
        if has_own_scatter || *kind == ChartKind::Run {
            continue;
        }
        let center = match kind {
            ChartKind::Mr | ChartKind::Cusum => 0.0,
            ChartKind::Ip | ChartKind::Pp | ChartKind::Up => 0.1 / 10.0,
            _ => 0.1,
        };
        for row in 1..12 {
            assert_eq!((lines.center[row], lines.lcl[row], lines.ucl[row]), (center, center, center), "{kind:?}");
            assert_eq!(lines.drawn[row], center, "{kind:?}");
            assert!(lines.z[row] == 0.0 || !kind.has_zones(), "{kind:?} {}", lines.z[row]);
        }
        assert_eq!(summary.center, Some(center), "{kind:?}");
    }
    // A value off a line without width is beyond all bounds.
    let value = [5.0, 5.0, 5.0, 5.0, 6.0];
    let rows = LimitRows { value: &value, is_baseline: &first(4, 5), ..LimitRows::default() };
    let (lines, summary) = drawn(&LimitSpec::new(ChartKind::I), &rows, &NONE);
    assert_eq!((lines.ucl[4], lines.z[4], summary.sigma), (5.0, f64::INFINITY, Some(0.0)));
    // Neither is anything screened out where all ranges are zero.
    let spec = LimitSpec { convention: Convention::Nhs, ..LimitSpec::new(ChartKind::I) };
    assert_eq!(drawn(&spec, &rows, &NONE).1.n_screened, 0);
}

#[test]
fn nothing_is_there() {
    for kind in ChartKind::ALL {
        for value in [vec![], vec![NAN; 5], vec![f64::INFINITY; 5]] {
            let (lines, summary) = of_kind(&LimitSpec::new(*kind), &value, &[], &NONE);
            let spread_is_there = matches!(kind, ChartKind::R | ChartKind::S) && !value.is_empty();
            assert_eq!(lines.drawn.len(), value.len());
            if !spread_is_there {
                assert_eq!((summary.center, summary.n_baseline), (None, 0), "{kind:?}");
                assert!(lines.center.iter().chain(&lines.lcl).chain(&lines.ucl).all(|line| line.is_nan()), "{kind:?}");
            }
        }
        // Excluded all, or no row of a baseline.
        let value = [1.0, 2.0, 3.0];
        let (_, summary) = of_kind(&LimitSpec::new(*kind), &value, &[false; 3], &NONE);
        assert_eq!((summary.center, summary.n_baseline), (None, 0), "{kind:?}");
    }
}

/// One value has a mean and no scatter; a count has the scatter of its law.
#[test]
fn one_value() {
    for kind in ChartKind::ALL {
        let value = [3.0, 4.0, 2.0];
        let (lines, summary) = of_kind(&LimitSpec::new(*kind), &value, &first(1, 3), &NONE);
        let is_of_law = matches!(kind, ChartKind::P | ChartKind::U | ChartKind::C | ChartKind::Np | ChartKind::G)
            || matches!(kind, ChartKind::Xbar | ChartKind::R | ChartKind::S);
        assert_eq!(lines.ucl[2].is_nan(), !is_of_law, "{kind:?}");
        // A moving range needs two.
        assert_eq!(summary.center.is_none(), *kind == ChartKind::Mr, "{kind:?}");
    }
}

#[test]
fn an_excluded_row_is_bridged_and_drawn() {
    let value = [1.0, 3.0, 90.0, 2.0, NAN, 7.0, 8.0];
    let is_excluded = [false, false, true, false, false, false, false];
    let rows = LimitRows { value: &value, is_excluded: &is_excluded, ..LimitRows::default() };
    // Ranges 2, 1 (across the excluded row), 1; none across the missing one.
    let (lines, summary) = drawn(&LimitSpec::new(ChartKind::I), &rows, &NONE);
    close(summary.center.unwrap(), 4.2, 1e-15, "mean");
    close(summary.sigma.unwrap(), 4.0 / 3.0 * std::f64::consts::PI.sqrt() / 2.0, 1e-15, "sigma");
    assert_eq!((lines.drawn[2], summary.n_baseline), (90.0, 5));
    assert!(lines.z[2] > 3.0 && lines.ucl[2] == lines.ucl[0] && lines.z[4].is_nan() && lines.ucl[4] == lines.ucl[0]);
    // The range after it is to the row before it, and its own is drawn only.
    let (ranges, summary) = drawn(&LimitSpec::new(ChartKind::Mr), &rows, &NONE);
    assert_eq!(ranges.drawn[1..4], [2.0, 87.0, 1.0]);
    assert!(ranges.drawn[0].is_nan() && ranges.drawn[4].is_nan() && ranges.drawn[5].is_nan());
    close(summary.center.unwrap(), 4.0 / 3.0, 1e-15, "mean range");
    close(ranges.ucl[0], 4.0 / 3.0 * (1.0 + 3.0 * range_moments(2).d3 / range_moments(2).d2), 1e-15, "limit");
    // By qicharts2's custom it is not bridged.
    let spec = LimitSpec { convention: Convention::Qicharts2, ..LimitSpec::new(ChartKind::Mr) };
    assert_eq!(drawn(&spec, &rows, &NONE).0.drawn[3], 88.0);
    // With one sigma the lower limit of a range is above 0.
    let narrow = LimitSpec { sigmas: 1.0, ..LimitSpec::new(ChartKind::Mr) };
    assert!(drawn(&narrow, &rows, &NONE).0.lcl[0] > 0.0);
}

#[test]
fn screening_once_and_again() {
    // Ranges: 1 eleven times, 9, 9, 60, 60.
    let value = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 10.0, 1.0, 0.0, 1.0, 61.0, 1.0, 0.0, 1.0, 0.0, 1.0];
    let rows = LimitRows { value: &value, ..LimitRows::default() };
    let sigma = |screening| {
        let spec = LimitSpec { screening: Some(screening), ..LimitSpec::new(ChartKind::I) };
        let (_, summary) = drawn(&spec, &rows, &NONE);
        (summary.n_screened, summary.sigma.unwrap() * range_moments(2).d2)
    };
    let is = |(n, found): (usize, f64), m: usize, mean: f64| n == m && (found - mean).abs() < 1e-12;
    assert!(is(sigma(Screening::Off), 0, 149.0 / 15.0));
    // 149/15 x 3.2665 = 32.4: both of 60 go; 29/13 x 3.2665 = 7.3: both of 9 go; nothing is above 3.3.
    assert!(is(sigma(Screening::Once), 2, 29.0 / 13.0));
    assert!(is(sigma(Screening::Repeated), 4, 1.0));
    // The mean is not screened.
    let (_, summary) =
        drawn(&LimitSpec { screening: Some(Screening::Once), ..LimitSpec::new(ChartKind::I) }, &rows, &NONE);
    close(summary.center.unwrap(), value.iter().sum::<f64>() / 16.0, 1e-15, "mean");
}

#[test]
fn counts_out_of_unequal_numbers_step() {
    let (value, size) = ([2.0, 8.0, 5.0], [10.0, 40.0, 25.0]);
    let rows = LimitRows { value: &value, size: &size, ..LimitRows::default() };
    let (lines, summary) = drawn(&LimitSpec::new(ChartKind::Np), &rows, &NONE);
    assert_eq!((summary.center, summary.level), (None, Some(0.2)));
    for row in 0..3 {
        close(lines.center[row], 0.2 * size[row], 1e-15, "centre");
        close(lines.ucl[row], 0.2 * size[row] + 3.0 * (size[row] * 0.16).sqrt(), 1e-15, "limit");
        assert_eq!(
            (lines.drawn[row], lines.lcl[row]),
            (value[row], (0.2 * size[row] - 3.0 * (size[row] * 0.16).sqrt()).max(0.0))
        );
    }
    // A known centre is a line, and stands for another proportion at each row.
    let (told, summary) = drawn(&LimitSpec::new(ChartKind::Np), &rows, &Known { center: Some(4.0), ..NONE });
    assert_eq!((summary.center, summary.level), (Some(4.0), None));
    close(told.ucl[0], 4.0 + 3.0 * (4.0_f64 * 0.6).sqrt(), 1e-15, "limit of 10");
    close(told.ucl[1], 4.0 + 3.0 * (4.0_f64 * 0.9).sqrt(), 1e-15, "limit of 40");
}

#[test]
fn cases_between_events() {
    let value = [0.0, 3.0, 10.0, 20.0, 2.0];
    let (lines, summary) = plain(ChartKind::G, &value);
    assert_eq!((summary.center, summary.level), (Some(3.0), Some(7.0)));
    close(lines.ucl[0], 7.0 + 3.0 * 56.0_f64.sqrt(), 1e-15, "limit");
    close(lines.z[3], 13.0 / 56.0_f64.sqrt(), 1e-15, "about the mean");
    assert_eq!(lines.lcl[0], 0.0);
    // A known centre is drawn where it is given: a geometric law of mean m has half of its weight below ln 2 / ln(1 + 1/m).
    let rows = LimitRows { value: &value, ..LimitRows::default() };
    let known = Known { center: Some(30.0), ..NONE };
    let (told, summary) = drawn(&LimitSpec::new(ChartKind::G), &rows, &known);
    let mean = summary.level.unwrap();
    close(std::f64::consts::LN_2 / (1.0 / mean).ln_1p(), 30.0, 1e-12, "median");
    close(told.ucl[0], mean + 3.0 * (mean * (mean + 1.0)).sqrt(), 1e-15, "limit");
    assert_eq!(told.center[0], 30.0);
}

#[test]
fn subgroups_of_unequal_size() {
    let (size, spread) = ([2.0, 4.0, 1.0, 3.0], [1.0, 2.0, NAN, 3.0]);
    let rows = LimitRows { value: &[5.0, 6.0, 7.0, 4.0], size: &size, spread: &spread, ..LimitRows::default() };
    let (lines, summary) = drawn(&LimitSpec::new(ChartKind::Xbar), &rows, &NONE);
    // (1 x 1 + 3 x 4 + 2 x 9) / 6 degrees of freedom.
    let sigma = (31.0_f64 / 6.0).sqrt() / c4(7.0);
    close(summary.sigma.unwrap(), sigma, 1e-14, "sigma");
    close(summary.df.unwrap(), 6.0, 1e-9, "degrees of freedom");
    close(summary.center.unwrap(), 53.0 / 10.0, 1e-15, "centre");
    // A single measurement has its limits too.
    close(lines.ucl[2], 5.3 + 3.0 * sigma, 1e-14, "limit of one");
    let (s, summary) = drawn(&LimitSpec::new(ChartKind::S), &rows, &NONE);
    assert!(s.drawn[2].is_nan() && s.center[2].is_nan() && summary.center.is_none());
    close(s.center[1], c4(4.0) * sigma, 1e-14, "centre of four");
    close(s.ucl[1], (c4(4.0) + 3.0 * c5(4.0)) * sigma, 1e-14, "limit of four");
    // Known centre of a spread: sigma is what it says.
    let (told, _) = drawn(&LimitSpec::new(ChartKind::S), &rows, &Known { center: Some(2.0), ..NONE });
    close(told.ucl[1], 2.0 * (1.0 + 3.0 * c5(4.0) / c4(4.0)), 1e-14, "limit about a known centre");
    let (told, _) = drawn(&LimitSpec::new(ChartKind::R), &rows, &Known { sigma: Some(2.0), ..NONE });
    close(told.center[3], 2.0 * range_moments(3).d2, 1e-14, "centre of a range");
    // Known sigma of means needs no spread.
    let known = Known { sigma: Some(2.0), ..NONE };
    let (told, _) = drawn(&LimitSpec::new(ChartKind::Xbar), &LimitRows { spread: &[], ..rows }, &known);
    close(told.ucl[1], 5.3 + 3.0, 1e-14, "limit of four");
}

/// With equal subgroups a pooled sigma makes a later mean exactly Student's.
#[test]
fn widened_limits_are_prediction_limits() {
    let (value, size, spread) = ([5.0, 6.0, 7.0, 4.0, 5.0], [4.0; 5], [1.0, 2.0, 1.5, 3.0, 1.0]);
    let baseline = first(4, 5);
    let rows =
        LimitRows { value: &value, size: &size, spread: &spread, is_baseline: &baseline, ..LimitRows::default() };
    let spec = LimitSpec { widen: true, ..LimitSpec::new(ChartKind::Xbar) };
    let (lines, _) = drawn(&spec, &rows, &NONE);
    let pooled = ((1.0 + 4.0 + 2.25 + 9.0) / 4.0_f64).sqrt();
    let quantile = -StudentsT::new(0.0, 1.0, 12.0).unwrap().inverse_cdf(0.001_349_898_031_630_1);
    close(lines.ucl[4], 5.5 + quantile * pooled * (1.0 / 4.0 + 1.0 / 16.0_f64).sqrt(), 1e-6, "later");
    let (ordinary, _) = drawn(&LimitSpec::new(ChartKind::Xbar), &rows, &NONE);
    assert_eq!(lines.ucl[..4], ordinary.ucl[..4], "the baseline keeps its limits");
    assert_eq!(lines.z[..4], ordinary.z[..4]);
    // Counts widen by the error of their centre alone: 1 + 1/4.
    let spec = LimitSpec { widen: true, ..LimitSpec::new(ChartKind::C) };
    let rows = LimitRows { value: &[100.0, 90.0, 110.0, 100.0, 120.0], is_baseline: &baseline, ..LimitRows::default() };
    let (lines, _) = drawn(&spec, &rows, &NONE);
    close(lines.ucl[4], 100.0 + 30.0 * 1.25_f64.sqrt(), 1e-9, "later count");
    close(lines.z[4], 20.0 / (10.0 * 1.25_f64.sqrt()), 1e-9, "its distance follows");
    // What is known has no error.
    let spec = LimitSpec { widen: true, ..LimitSpec::new(ChartKind::I) };
    let known = Known { center: Some(100.0), sigma: Some(10.0), ..NONE };
    close(drawn(&spec, &rows, &known).0.ucl[4], 130.0, 1e-9, "known");
}

#[test]
fn adjusted_limits_allow_for_autocorrelation() {
    let value: Vec<f64> = (0..40).map(|row| (f64::from(row) / 3.0).sin() + 0.3 * f64::from(row % 3)).collect();
    let rows = LimitRows { value: &value, ..LimitRows::default() };
    let (_, ordinary) = drawn(&LimitSpec::new(ChartKind::I), &rows, &NONE);
    let (_, adjusted) = drawn(&LimitSpec { adjust: true, ..LimitSpec::new(ChartKind::I) }, &rows, &NONE);
    let mean = value.iter().sum::<f64>() / 40.0;
    let products: f64 = value.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    let squares: f64 = value.iter().map(|one| (one - mean).powi(2)).sum();
    let phi = ((40.0 * products / squares + 1.0) / 36.0).clamp(0.0, 0.9);
    assert!(phi > 0.5 && ordinary.phi.is_none());
    close(adjusted.phi.unwrap(), phi, 1e-12, "phi");
    close(adjusted.sigma.unwrap(), ordinary.sigma.unwrap() / (1.0 - phi).sqrt(), 1e-12, "sigma");
    // Neighbours that take turns are not alike: nothing is taken away.
    let turns: Vec<f64> = (0..20).map(|row| f64::from(row % 2)).collect();
    let rows = LimitRows { value: &turns, ..LimitRows::default() };
    let (_, summary) = drawn(&LimitSpec { adjust: true, ..LimitSpec::new(ChartKind::I) }, &rows, &NONE);
    assert_eq!(summary.phi, Some(0.0));
}

/// The average as the sum that it is, with the variance of that sum; a row that is missing or excluded is passed over.
#[test]
fn a_moving_average_is_a_weighted_sum() {
    let value = [3.0, 7.0, NAN, 5.0, 40.0, 9.0, 4.0];
    let is_excluded = [false, false, false, false, true, false, false];
    let rows = LimitRows { value: &value, is_excluded: &is_excluded, ..LimitRows::default() };
    let known = Known { center: Some(5.0), sigma: Some(2.0), ..NONE };
    let (lines, _) = drawn(&LimitSpec { weight: 0.3, ..LimitSpec::new(ChartKind::Ewma) }, &rows, &known);
    let seen = [3.0, 7.0, 5.0, 9.0, 4.0];
    for (n, row) in [(1, 0), (2, 1), (3, 3), (4, 5), (5, 6)] {
        let weight = |i: usize| 0.3 * 0.7_f64.powf((n - 1 - i) as f64);
        let sum: f64 = (0..n).map(|i| weight(i) * (seen[i] - 5.0)).sum();
        let variance: f64 = (0..n).map(|i| weight(i).powi(2)).sum();
        close(lines.drawn[row], 5.0 + sum, 1e-14, "average");
        close(lines.ucl[row], 5.0 + 6.0 * variance.sqrt(), 1e-14, "limit");
        close(lines.z[row], sum / (2.0 * variance.sqrt()), 1e-12, "distance");
    }
    assert!(lines.drawn[2].is_nan() && lines.drawn[4] == lines.drawn[3] && lines.ucl[4] == lines.ucl[3]);
}

/// A cumulative sum is the largest sum of what exceeds the allowance, over all stretches that end here.
#[test]
fn a_cumulative_sum_is_the_largest_stretch() {
    let value = [3.0, 8.0, NAN, 7.0, 99.0, 2.0, 1.0, 6.0];
    let is_excluded = [false, false, false, false, true, false, false, false];
    let rows = LimitRows { value: &value, is_excluded: &is_excluded, ..LimitRows::default() };
    let spec = LimitSpec { reference: 0.25, decision: 2.0, ..LimitSpec::new(ChartKind::Cusum) };
    let known = Known { center: Some(5.0), sigma: Some(2.0), ..NONE };
    let (lines, _) = drawn(&spec, &rows, &known);
    let seen: Vec<(usize, f64)> =
        (0..8).filter(|row| !is_excluded[*row] && value[*row].is_finite()).map(|row| (row, value[row])).collect();
    for (n, (row, _)) in seen.iter().enumerate() {
        let largest = |sign: f64| {
            (0..=n + 1)
                .map(|from| seen[..=n].iter().skip(from).map(|(_, one)| sign * (one - 5.0) - 0.5).sum::<f64>())
                .fold(0.0, f64::max)
        };
        close(lines.drawn[*row], largest(1.0), 1e-14, "above");
        close(lines.lower[*row], -largest(-1.0), 1e-14, "below");
    }
    assert_eq!((lines.ucl[0], lines.lcl[0], lines.center[0]), (4.0, -4.0, 0.0));
    assert!(lines.drawn[2].is_nan() && lines.drawn[4] == lines.drawn[3] && lines.z.iter().all(|z| z.is_nan()));
}

#[test]
fn dispersion_is_told() {
    // Far more scatter than a proportion of 1000 has.
    let size = [1_000.0; 12];
    let wild: Vec<f64> = (0..12).map(|row| 100.0 + 60.0 * f64::from(row % 2)).collect();
    let rows = LimitRows { value: &wild, size: &size, ..LimitRows::default() };
    let (plain_lines, found) = drawn(&LimitSpec::new(ChartKind::P), &rows, &NONE);
    let (laney_lines, laney) = drawn(&LimitSpec::new(ChartKind::Pp), &rows, &NONE);
    let dispersion = 60.0 / (1_000.0_f64 * 0.13 * 0.87).sqrt() / range_moments(2).d2;
    close(found.dispersion.unwrap(), dispersion, 1e-12, "sigma_z");
    assert!(found.is_overdispersed && !found.is_underdispersed && laney.is_overdispersed);
    let half = |lines: &Lines| lines.ucl[0] - lines.center[0];
    close(half(&laney_lines), dispersion * half(&plain_lines), 1e-12, "Laney's limits");
    // And far less.
    let tame: Vec<f64> = (0..12).map(|row| 100.0 + f64::from(row % 2)).collect();
    let rows = LimitRows { value: &tame, size: &size, ..LimitRows::default() };
    let (_, found) = drawn(&LimitSpec::new(ChartKind::P), &rows, &NONE);
    assert!(found.is_underdispersed && !found.is_overdispersed);
    // Where events are rare equal neighbours say nothing.
    let rare = [1.0; 30];
    let (_, found) = plain(ChartKind::C, &rare);
    assert!(!found.is_underdispersed && found.dispersion == Some(0.0));
    // Means that move more than their subgroups do.
    let means: Vec<f64> = (0..12).map(|row| 3.0 * f64::from(row % 2)).collect();
    let rows = LimitRows { value: &means, size: &[5.0; 12], spread: &[1.0; 12], ..LimitRows::default() };
    assert!(drawn(&LimitSpec::new(ChartKind::Xbar), &rows, &NONE).1.is_overdispersed);
}

#[test]
fn limits_that_are_known_replace_what_is_computed() {
    let value = [5.0, 7.0, 6.0, 9.0];
    let rows = LimitRows { value: &value, ..LimitRows::default() };
    let known = Known { center: Some(6.0), ucl: Some(8.0), lcl: Some(3.0), ..NONE };
    let (lines, _) = drawn(&LimitSpec::new(ChartKind::I), &rows, &known);
    assert_eq!((lines.center[0], lines.ucl[3], lines.lcl[3]), (6.0, 8.0, 3.0));
    // One below of three allowed is one sigma; three above of two allowed are four and a half.
    assert_eq!(lines.z, [-1.0, 1.5, 0.0, 4.5]);
    let (run, summary) = drawn(&LimitSpec::new(ChartKind::Run), &rows, &NONE);
    assert_eq!((summary.center, run.center[0]), (Some(6.5), 6.5));
    assert!(run.ucl[0].is_nan() && run.z[0].is_nan());
}

#[track_caller]
fn refused(spec: &LimitSpec, rows: &LimitRows<'_>, known: &Known) -> String {
    let error = limit_lines(spec, rows, known, &mut Lines::default()).unwrap_err();
    assert!(matches!(error, Error::InvalidOption { .. } | Error::InvalidValue { .. }), "{error}");
    error.to_string()
}

#[test]
fn what_is_impossible_is_refused() {
    let value = [1.0, 2.0, 3.0];
    let rows = LimitRows { value: &value, ..LimitRows::default() };
    let of = LimitSpec::new;
    let (i, p) = (of(ChartKind::I), of(ChartKind::P));
    for (spec, words) in [
        (LimitSpec { sigmas: NAN, ..i }, "sigmas = NaN is not possible: it must be a number above 0"),
        (LimitSpec { sigmas: 0.0, ..i }, "sigmas = 0"),
        (LimitSpec { sigmas: 2.0, ..of(ChartKind::Cusum) }, "left out: kind \"cusum\" does not take it"),
        (LimitSpec { weight: 0.1, ..i }, "weight = 0.1 is not possible: it must be left out: kind \"i\""),
        (LimitSpec { weight: 1.5, ..of(ChartKind::Ewma) }, "above 0 and at most 1"),
        (LimitSpec { weight: NAN, ..of(ChartKind::Ewma) }, "above 0 and at most 1"),
        (LimitSpec { reference: -1.0, ..of(ChartKind::Cusum) }, "0 or more"),
        (LimitSpec { decision: f64::INFINITY, ..of(ChartKind::Cusum) }, "decision = inf"),
        (LimitSpec { decision: 4.0, ..i }, "does not take it"),
        (
            LimitSpec { convention: Convention::Nhs, ..p },
            "convention = \"nhs\" is not possible: it must be \"exact\": that convention has no kind \"p\"",
        ),
        (
            LimitSpec { convention: Convention::Qicharts2, ..of(ChartKind::Ewma) },
            "that convention has no kind \"ewma\"",
        ),
        (LimitSpec { screening: Some(Screening::Once), ..p }, "screening = \"once\""),
        (
            LimitSpec { estimator: Some(SigmaEstimator::PooledSd), ..i },
            "one of \"moving_range\", \"sd\" for kind \"i\"",
        ),
        (LimitSpec { estimator: Some(SigmaEstimator::Sd), ..p }, "follows from its centre"),
        (LimitSpec { estimator: Some(SigmaEstimator::Sd), screening: Some(Screening::Once), ..i }, "\"off\" where"),
        (
            LimitSpec { widen: true, ..of(ChartKind::G) },
            "widen = true is not possible: it must be false for kind \"g\"",
        ),
        (LimitSpec { widen: true, convention: Convention::Nhs, ..i }, "convention \"nhs\" has no such limits"),
        (LimitSpec { adjust: true, ..p }, "take \"pp\""),
        (LimitSpec { adjust: true, estimator: Some(SigmaEstimator::Sd), ..i }, "holds the autocorrelation already"),
        (LimitSpec { adjust: true, ..of(ChartKind::Run) }, "it has no limits"),
        (p, "size = 0 rows is not possible: it must be given for kind \"p\", one for each row"),
        (of(ChartKind::Xbar), "size = 0 rows"),
    ] {
        let message = refused(&spec, &rows, &NONE);
        assert!(message.contains(words), "{message}");
    }
    for (known, words) in [
        (Known { center: Some(NAN), ..NONE }, "known_center = NaN"),
        (Known { sigma: Some(0.0), ..NONE }, "known_sigma = 0"),
        (Known { sigma: Some(NAN), ..NONE }, "known_sigma = NaN"),
        (Known { lcl: Some(4.0), ucl: Some(3.0), ..NONE }, "in this order"),
        (Known { center: Some(9.0), ucl: Some(3.0), ..NONE }, "known limits = -, 9, 3"),
    ] {
        let message = refused(&i, &rows, &known);
        assert!(message.contains(words), "{message}");
    }
    let known = Known { center: Some(1.5), ..NONE };
    assert!(refused(&p, &LimitRows { size: &value, ..rows }, &known).contains("from 0 to 1"));
    assert!(refused(&of(ChartKind::C), &rows, &Known { center: Some(-1.0), ..NONE }).contains("0 or more"));
    assert!(refused(&of(ChartKind::C), &rows, &Known { sigma: Some(1.0), ..NONE }).contains("no standard deviation"));
    assert!(refused(&of(ChartKind::Cusum), &rows, &Known { ucl: Some(1.0), ..NONE }).contains("`decision`"));
    assert!(refused(&i, &LimitRows { size: &value, ..rows }, &NONE).contains("left out for kind \"i\""));
    assert!(refused(&i, &LimitRows { is_excluded: &[true], ..rows }, &NONE).contains("one for each of the 3 rows"));
    let halves = LimitRows { size: &[2.0, 2.5, 3.0], spread: &[1.0; 3], ..rows };
    assert!(refused(&of(ChartKind::S), &halves, &NONE).contains("2.5 in row 1; give whole numbers"));
}

#[test]
fn a_spec_is_its_json() {
    for kind in ChartKind::ALL {
        let text = format!("{{\"kind\": \"{}\"}}", kind.as_str());
        let spec: LimitSpec = serde_json::from_str(&text).unwrap();
        assert_eq!(spec, LimitSpec::new(*kind));
        assert_eq!(serde_json::from_str::<LimitSpec>(&serde_json::to_string(&spec).unwrap()).unwrap(), spec);
        assert!(spec.validate().is_ok());
    }
    assert!(serde_json::from_str::<LimitSpec>("{}").is_err());
    assert!(serde_json::from_str::<LimitSpec>("{\"kind\": \"i\", \"sigma\": 3}").is_err());
    assert!(serde_json::from_str::<Known>("{\"centre\": 3}").is_err());
    assert_eq!("once".parse::<Screening>().unwrap(), Screening::Once);
    assert_eq!("nhs".parse::<Convention>().unwrap().as_str(), "nhs");
    let message = "rmsdf".parse::<SigmaEstimator>().unwrap_err().to_string();
    assert!(
        message.starts_with("estimator = \"rmsdf\" is not possible: it must be one of \"moving_range\""),
        "{message}"
    );
    for estimator in SigmaEstimator::ALL {
        assert_eq!(serde_json::to_string(estimator).unwrap(), format!("{:?}", estimator.as_str()));
    }
    let by_ranges = LimitSpec { estimator: Some(SigmaEstimator::WeightedRange), ..LimitSpec::new(ChartKind::Xbar) };
    assert_eq!((by_ranges.spread(), LimitSpec::new(ChartKind::S).spread()), (Some(Spread::Range), Some(Spread::Sd)));
    assert_eq!(LimitSpec::new(ChartKind::I).spread(), None);
}
