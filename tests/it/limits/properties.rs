//! What holds of every chart, whatever its values.

use brightspot::charts::{
    ChartKind, Convention, Known, LimitRows, LimitSpec, Lines, Screening, SizeRole, Spread, limit_lines,
};
use proptest::prelude::*;

use super::{NONE, drawn, first};

/// Rows of a chart with everything that any kind may ask for.
#[derive(Debug, Clone)]
struct Table {
    value: Vec<f64>,
    size: Vec<f64>,
    spread: Vec<f64>,
    is_excluded: Vec<bool>,
    is_baseline: Vec<bool>,
}

impl Table {
    fn rows(&self, spec: &LimitSpec) -> LimitRows<'_> {
        let is_sized = matches!(spec.kind.size(), SizeRole::Required | SizeRole::Subgroup);
        LimitRows {
            value: &self.value,
            size: if is_sized { &self.size } else { &[] },
            spread: if spec.spread().is_some() { &self.spread } else { &[] },
            is_excluded: &self.is_excluded,
            is_baseline: &self.is_baseline,
        }
    }

    fn lines(&self, spec: &LimitSpec) -> Lines {
        drawn(spec, &self.rows(spec), &NONE).0
    }

    fn map(&self, value: impl Fn(f64) -> f64, spread: impl Fn(f64) -> f64) -> Self {
        Self {
            value: self.value.iter().map(|one| value(*one)).collect(),
            spread: self.spread.iter().map(|one| spread(*one)).collect(),
            ..self.clone()
        }
    }
}

/// Whole values, so that shifting and scaling by powers of two is exact in what is drawn.
fn tables() -> impl Strategy<Value = Table> {
    let value = prop_oneof![9 => (0_i32..40).prop_map(f64::from), 1 => Just(f64::NAN)];
    let size = (40_i32..90).prop_map(f64::from);
    let spread = (0_i32..20).prop_map(f64::from);
    let row = (value, size, spread, prop::bool::weighted(0.1));
    (prop::collection::vec(row, 2..40), 1_usize..40).prop_map(|(rows, n)| {
        let n_rows = rows.len();
        Table {
            value: rows.iter().map(|row| row.0).collect(),
            size: rows.iter().map(|row| row.1).collect(),
            spread: rows.iter().map(|row| row.2).collect(),
            is_excluded: rows.iter().map(|row| row.3).collect(),
            is_baseline: first(n.min(n_rows), n_rows),
        }
    })
}

/// Every kind with every convention, and with limits widened and adjusted where it can.
fn specs() -> Vec<LimitSpec> {
    let mut specs = Vec::new();
    for kind in ChartKind::ALL {
        for convention in Convention::ALL {
            for (widen, adjust) in [(false, false), (true, false), (false, true), (true, true)] {
                let spec = LimitSpec { convention: *convention, widen, adjust, ..LimitSpec::new(*kind) };
                specs.extend(Some(spec).filter(|spec| spec.validate().is_ok()));
            }
        }
    }
    specs
}

#[track_caller]
fn alike(ours: &[f64], theirs: &[f64], tolerance: f64, place: &str) {
    assert_eq!(ours.len(), theirs.len());
    let scale = theirs.iter().copied().filter(|one| one.is_finite()).map(f64::abs).fold(1.0, f64::max);
    for (row, (one, other)) in ours.iter().zip(theirs).enumerate() {
        let is_alike = one == other || (one.is_nan() && other.is_nan()) || (one - other).abs() <= tolerance * scale;
        assert!(is_alike, "{place} row {row}: {one} {other}");
    }
}

#[test]
fn all_that_can_be_asked_for() {
    assert_eq!(specs().len(), 17 + 13 + 1 + 11 + 2 * 6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The promise of a baseline: whatever comes later moves neither centre nor limits, in any kind of chart.
    #[test]
    fn later_points_never_move_the_lines(table in tables(), later in prop::collection::vec(0_i32..1_000, 40),
                                         spreads in prop::collection::vec(0_i32..1_000, 40)) {
        let mut changed = table.clone();
        for row in (0..table.value.len()).filter(|row| !table.is_baseline[*row]) {
            // The same rows have a value: an average that had none yet has no limits either.
            if !table.value[row].is_nan() {
                changed.value[row] = f64::from(later[row]);
            }
            changed.spread[row] = f64::from(spreads[row]);
        }
        // Other sizes have other limits, but do not move those of the baseline.
        let mut resized = changed.clone();
        for row in (0..table.value.len()).filter(|row| !table.is_baseline[*row]) {
            resized.size[row] = 2.0 + f64::from(spreads[row]);
        }
        let n = table.is_baseline.iter().filter(|is_baseline| **is_baseline).count();
        for spec in specs() {
            let (before, after) = (table.lines(&spec), changed.lines(&spec));
            let place = format!("{spec:?}");
            let other = resized.lines(&spec);
            for (one, other) in [(&before.center, &other.center), (&before.lcl, &other.lcl), (&before.ucl, &other.ucl)] {
                alike(&one[..n], &other[..n], 0.0, &place);
            }
            alike(&before.center, &after.center, 0.0, &place);
            alike(&before.lcl, &after.lcl, 0.0, &place);
            alike(&before.ucl, &after.ucl, 0.0, &place);
            let (one, other) = (drawn(&spec, &table.rows(&spec), &NONE).1, drawn(&spec, &changed.rows(&spec), &NONE).1);
            // One way only: a summary tells nothing of later rows.
            prop_assert_eq!(format!("{one:?}"), format!("{other:?}"));
        }
    }

    /// Nor do excluded ones, but for the ranges of qicharts2, which are to the row before whatever it is.
    #[test]
    fn excluded_points_never_move_the_lines(table in tables(), others in prop::collection::vec(0_i32..1_000, 40)) {
        let mut changed = table.clone();
        for row in (0..table.value.len()).filter(|row| table.is_excluded[*row] && !table.value[*row].is_nan()) {
            changed.value[row] = f64::from(others[row]);
            changed.spread[row] = f64::from(others[row]);
        }
        for spec in specs() {
            if spec.kind == ChartKind::Mr && spec.convention == Convention::Qicharts2 {
                continue;
            }
            let (before, after) = (table.lines(&spec), changed.lines(&spec));
            for (one, other) in [(&before.center, &after.center), (&before.lcl, &after.lcl), (&before.ucl, &after.ucl)] {
                alike(one, other, 0.0, &format!("{spec:?}"));
            }
            for row in (0..table.value.len()).filter(|row| !table.is_excluded[*row]) {
                alike(&before.drawn[row..=row], &after.drawn[row..=row], 0.0, &format!("{spec:?}"));
            }
        }
    }

    /// Values in another unit: everything that is drawn is in that unit, and distances in sigmas are the same.
    #[test]
    fn scale(table in tables()) {
        let scaled = table.map(|value| 4.0 * value, |spread| 4.0 * spread);
        let scalable = |kind| matches!(
            kind,
            ChartKind::Run | ChartKind::I | ChartKind::Mr | ChartKind::Ip | ChartKind::Xbar | ChartKind::R | ChartKind::S
                | ChartKind::T | ChartKind::Cusum | ChartKind::Ewma
        );
        for spec in specs().into_iter().filter(|spec| scalable(spec.kind)) {
            let (one, four) = (table.lines(&spec), scaled.lines(&spec));
            let place = format!("{spec:?}");
            let times = |line: &[f64]| line.iter().map(|value| 4.0 * value).collect::<Vec<_>>();
            for (one, four) in [(&one.drawn, &four.drawn), (&one.lower, &four.lower), (&one.center, &four.center),
                                (&one.lcl, &four.lcl), (&one.ucl, &four.ucl)] {
                alike(four, &times(one), 1e-12, &place);
            }
            alike(&four.z, &one.z, 1e-9, &place);
        }
    }

    /// A constant more at every point: lines move with it, sums and ranges stay. Turned upside down they are mirrored.
    #[test]
    fn shift_and_mirror(table in tables()) {
        let shifted = table.map(|value| value + 64.0, |spread| spread);
        let mirrored = table.map(|value| -value, |spread| spread);
        for spec in specs() {
            let place = format!("{spec:?}");
            let is_location = matches!(spec.kind, ChartKind::Run | ChartKind::I | ChartKind::Xbar | ChartKind::Ewma);
            let is_free = matches!(spec.kind, ChartKind::Mr | ChartKind::R | ChartKind::S | ChartKind::Cusum);
            if !(is_location || is_free) {
                continue;
            }
            let (here, there, upside) = (table.lines(&spec), shifted.lines(&spec), mirrored.lines(&spec));
            let by = if is_location { 64.0 } else { 0.0 };
            let plus = |line: &[f64]| line.iter().map(|value| value + by).collect::<Vec<_>>();
            for (here, there) in [(&here.drawn, &there.drawn), (&here.center, &there.center), (&here.lcl, &there.lcl),
                                  (&here.ucl, &there.ucl)] {
                alike(there, &plus(here), 1e-12, &place);
            }
            let minus = |line: &[f64]| line.iter().map(|value| -value).collect::<Vec<_>>();
            if is_location {
                alike(&upside.drawn, &minus(&here.drawn), 1e-12, &place);
                alike(&upside.lcl, &minus(&here.ucl), 1e-12, &place);
                alike(&upside.ucl, &minus(&here.lcl), 1e-12, &place);
                alike(&upside.z, &minus(&here.z), 1e-9, &place);
            } else if spec.kind == ChartKind::Cusum {
                alike(&upside.drawn, &minus(&here.lower), 1e-12, &place);
                alike(&upside.lower, &minus(&here.drawn), 1e-12, &place);
            } else {
                alike(&upside.ucl, &here.ucl, 1e-12, &place);
            }
        }
    }

    /// What is not an event is a proportion too: its chart is the same upside down.
    #[test]
    fn the_other_proportion(table in tables()) {
        let mut other = table.clone();
        other.value = table.size.iter().zip(&table.value).map(|(size, value)| size - value).collect();
        for spec in specs().into_iter().filter(|spec| matches!(spec.kind, ChartKind::P | ChartKind::Pp)) {
            let (one, upside) = (table.lines(&spec), other.lines(&spec));
            let rest = |line: &[f64]| line.iter().map(|value| 1.0 - value).collect::<Vec<_>>();
            let place = format!("{spec:?}");
            alike(&upside.center, &rest(&one.center), 1e-12, &place);
            alike(&upside.lcl, &rest(&one.ucl), 1e-12, &place);
            alike(&upside.ucl, &rest(&one.lcl), 1e-12, &place);
        }
    }

    /// Phases know nothing of one another: room that other phases have used gives the same lines as new room.
    #[test]
    fn phases_in_any_order(one in tables(), other in tables()) {
        let mut used = Lines::default();
        for spec in specs() {
            for table in [&one, &other, &one] {
                let summary = limit_lines(&spec, &table.rows(&spec), &NONE, &mut used).unwrap();
                let (new, expected) = drawn(&spec, &table.rows(&spec), &NONE);
                prop_assert_eq!(format!("{summary:?}"), format!("{expected:?}"));
                for (used, new) in [(&used.drawn, &new.drawn), (&used.lower, &new.lower), (&used.center, &new.center),
                                    (&used.lcl, &new.lcl), (&used.ucl, &new.ucl), (&used.z, &new.z)] {
                    alike(used, new, 0.0, &format!("{spec:?}"));
                }
            }
        }
    }

    /// A point is outside exactly where its distance is more than the number of sigmas, unless a limit was cut off; limits
    /// hold the centre between them; widened ones hold ordinary ones.
    #[test]
    fn lines_agree_with_one_another(table in tables(), sigmas in 1_u8..5) {
        for spec in specs() {
            let spec = if matches!(spec.kind, ChartKind::Run | ChartKind::Cusum) { spec } else {
                LimitSpec { sigmas: f64::from(sigmas), ..spec }
            };
            let lines = table.lines(&spec);
            let place = format!("{spec:?}");
            for row in 0..table.value.len() {
                let (low, high) = (lines.lcl[row], lines.ucl[row]);
                prop_assert!(!(low > high), "{place}");
                // The median of a G chart may lie anywhere.
                let is_within = lines.center[row] >= low - 1e-9 && lines.center[row] <= high + 1e-9;
                prop_assert!(is_within || low.is_nan() || spec.kind == ChartKind::G, "{place} row {row}");
                let (at, z) = (lines.drawn[row], lines.z[row]);
                let is_clear = (at - low).abs() > 1e-9 && (at - high).abs() > 1e-9;
                if is_clear && !z.is_nan() {
                    prop_assert_eq!(at > high, z > f64::from(sigmas), "{} row {}: {}", &place, row, z);
                    prop_assert!(at >= low || z < -f64::from(sigmas), "{place} row {row}: {z}");
                }
            }
            if spec.widen && spec.kind != ChartKind::Ewma {
                let ordinary = table.lines(&LimitSpec { widen: false, ..spec });
                for row in (0..table.value.len()).filter(|row| !ordinary.ucl[*row].is_nan()) {
                    prop_assert!(lines.ucl[row] >= ordinary.ucl[row] - 1e-9, "{place} row {row}");
                    prop_assert!(lines.lcl[row] <= ordinary.lcl[row] + 1e-9, "{place} row {row}");
                }
            }
        }
    }

    /// Numbers of any size, and columns of any length, give lines or an error.
    #[test]
    fn no_input_panics(values in prop::collection::vec(any::<f64>(), 0..12), sizes in prop::collection::vec(any::<f64>(), 0..12),
                       flags in prop::collection::vec(any::<bool>(), 0..12), known in prop::option::of(any::<f64>()),
                       number in any::<f64>()) {
        let mut out = Lines::default();
        for spec in specs() {
            let spread: &[f64] = if spec.spread() == Some(Spread::Sd) { &sizes } else { &[] };
            let rows = LimitRows { value: &values, size: &sizes, spread, is_excluded: &flags, is_baseline: &[] };
            let known = Known { center: known, sigma: Some(number), ..NONE };
            let _ = limit_lines(&LimitSpec { sigmas: number, ..spec }, &rows, &known, &mut out);
            let whole: Vec<f64> = sizes.iter().map(|size| size.trunc().abs().min(1e4)).chain(std::iter::repeat(5.0))
                .take(values.len()).collect();
            let is_sized = matches!(spec.kind.size(), SizeRole::Required | SizeRole::Subgroup);
            let rows = LimitRows {
                value: &values,
                size: if is_sized { &whole } else { &[] },
                spread: if spec.spread().is_some() { &values } else { &[] },
                is_excluded: &[],
                is_baseline: &[],
            };
            prop_assert!(limit_lines(&spec, &rows, &NONE, &mut out).is_ok());
            prop_assert_eq!(out.ucl.len(), values.len());
        }
    }

    /// Leaving out what is too large never makes sigma larger, and doing so again still less.
    #[test]
    fn screening_only_narrows(table in tables()) {
        for kind in [ChartKind::I, ChartKind::Ip, ChartKind::T, ChartKind::Up] {
            let of = |screening| {
                let spec = LimitSpec { screening: Some(screening), ..LimitSpec::new(kind) };
                drawn(&spec, &table.rows(&spec), &NONE).1
            };
            let (off, once, again) = (of(Screening::Off), of(Screening::Once), of(Screening::Repeated));
            let size = |one: brightspot::charts::LinesSummary| one.sigma.or(one.dispersion).unwrap_or(0.0);
            prop_assert!(size(once) <= size(off) + 1e-12 && size(again) <= size(once) + 1e-12);
            prop_assert!(off.n_screened == 0 && once.n_screened <= again.n_screened);
        }
    }
}
