//! Every case of qicharts2 that is not a run chart, cell by cell.

use brightspot::charts::{ChartKind, Convention, Known, LimitRows, LimitSpec, Lines, Screening, SigmaEstimator};
use serde_json::Value;

use super::{NONE, close, drawn, first};
use crate::chart_reference::{Facet, Point, chart_cases, csv, facets};

/// Arguments of a case that are followed here.
const ARGUMENTS: [&str; 8] = ["freeze", "part", "exclude", "multiply", "cl", "y.neg", "agg.fun", "x.period"];

/// Cases in which the result differs on purpose; each has a test below that says what stands there instead.
pub(crate) const DEPARTURES: [&str; 5] = [
    // The sigma of an I prime chart takes in rows that are frozen out.
    "nhs_accidents_ip_freeze10",
    // A known centre is not transformed, but brought back.
    "cabg_death_t_fixedcl",
    // A negative time stops the program.
    "edge_t_negative_t",
    // The count of a row without a denominator enters the centre.
    "edge_zero_denominator_nonzero_numerator_p",
    // No limits where there is no variation.
    "edge_p_all_zero_up",
];

fn kind(case: &Value) -> ChartKind {
    case["chart"].as_str().unwrap().parse().unwrap()
}

pub(crate) fn spec(case: &Value) -> LimitSpec {
    let kind = kind(case);
    let mut spec = LimitSpec { convention: Convention::Qicharts2, ..LimitSpec::new(kind) };
    let is_laney = matches!(kind, ChartKind::Pp | ChartKind::Up);
    if is_laney && (case["x_type"] == "factor" || case["x_type"] == "character") {
        // Without an order there are no neighbours.
        spec.estimator = Some(SigmaEstimator::Sd);
    } else if case["screenedmr"] == false {
        spec.screening = Some(Screening::Off);
    }
    spec
}

/// The columns of a facet as a kind of chart takes them.
pub(crate) struct Columns {
    pub(crate) value: Vec<f64>,
    pub(crate) size: Vec<f64>,
    pub(crate) spread: Vec<f64>,
}

pub(crate) fn columns(kind: ChartKind, facet: &Facet) -> Columns {
    let column = |of: fn(&Point) -> f64| facet.points.iter().map(of).collect::<Vec<f64>>();
    match kind {
        ChartKind::Ip | ChartKind::P | ChartKind::Pp | ChartKind::U | ChartKind::Up => {
            Columns { value: column(|point| point.sum), size: column(|point| point.size), spread: vec![] }
        }
        ChartKind::Xbar | ChartKind::S => Columns {
            value: column(|point| point.mean),
            size: column(|point| point.n),
            spread: column(|point| point.sd),
        },
        ChartKind::C => Columns { value: column(|point| point.sum), size: vec![], spread: vec![] },
        _ => Columns { value: facet.y.clone(), size: vec![], spread: vec![] },
    }
}

/// The lines of all phases of a facet, one after the other.
fn computed(case: &Value, facet: &Facet, spec: &LimitSpec, known: &Known) -> Lines {
    let all = columns(spec.kind, facet);
    let excluded = facet.excluded(case);
    let mut whole = Lines::default();
    for rows in facet.parts(case) {
        let part = |column: &[f64]| column.get(rows.clone()).map(<[f64]>::to_vec).unwrap_or_default();
        // With phases a freeze is ignored there.
        let freeze = if case["args"]["part"].is_null() { case["args"]["freeze"].as_u64() } else { None };
        let baseline = first(freeze.map_or(rows.len(), |n| n as usize), rows.len());
        let (value, size, spread) = (part(&all.value), part(&all.size), part(&all.spread));
        let rows = LimitRows {
            value: &value,
            size: &size,
            spread: &spread,
            is_excluded: &excluded[rows.clone()],
            is_baseline: &baseline,
        };
        let (lines, _) = drawn(spec, &rows, known);
        whole.drawn.extend(lines.drawn);
        whole.center.extend(lines.center);
        whole.lcl.extend(lines.lcl);
        whole.ucl.extend(lines.ucl);
        whole.z.extend(lines.z);
    }
    whole
}

pub(crate) fn known(case: &Value) -> Known {
    Known { center: case["args"]["cl"].as_f64(), ..NONE }
}

#[test]
fn cell_by_cell() {
    let Some(cases) = chart_cases("index_qicharts2.json") else { return };
    let (mut n_cases, mut n_rows, mut n_signals) = (0, 0, 0);
    for case in cases.iter().filter(|case| case["chart"] != "run") {
        let id = case["id"].as_str().unwrap();
        if DEPARTURES.contains(&id) {
            continue;
        }
        let args = case["args"].as_object();
        assert!(args.is_none_or(|args| args.keys().all(|key| ARGUMENTS.contains(&key.as_str()))), "{id}");
        n_cases += 1;
        let spec = spec(case);
        let expected = csv(&["charts", case["output"].as_str().unwrap()]).unwrap();
        let multiply = case["args"]["multiply"].as_f64().unwrap_or(1.0);
        for facet in facets(case) {
            let lines = computed(case, &facet, &spec, &known(case));
            let inner = computed(case, &facet, &LimitSpec { sigmas: 2.0, ..spec }, &known(case));
            // What is drawn from 0 on when nothing is below it.
            let is_cut = case["args"]["y.neg"] == false && lines.drawn.iter().all(|value| !(*value < 0.0));
            let cut = |limit: f64| if is_cut && limit < 0.0 { 0.0 } else { limit };
            // A proportion above 1 is above a limit that is cut at 1, however near the centre it is.
            let is_impossible = |value: f64| spec.kind.is_proportion() && value > 1.0;
            for (at, row) in facet.rows_of(&expected).iter().enumerate() {
                n_rows += 1;
                let place = format!("{id} {} row {at}", facet.name);
                let same = |ours: f64, column: &str| {
                    let theirs = row.float(column).filter(|number| number.is_finite()).unwrap_or(f64::NAN);
                    close(ours * multiply, theirs, 1e-9, &format!("{place} {column}"));
                };
                same(lines.drawn[at], "y");
                same(lines.center[at], "cl");
                same(cut(lines.lcl[at]), "lcl");
                same(lines.ucl[at], "ucl");
                // Two thirds of the way to the limit of a moving range are not two standard deviations there.
                if spec.kind != ChartKind::Mr {
                    same(inner.ucl[at], "ucl.95");
                    // Below 0 a power has no value there; a time has 0 as its least.
                    if !(spec.kind == ChartKind::T && inner.lcl[at] == 0.0) {
                        same(cut(inner.lcl[at]), "lcl.95");
                    }
                    let is_beyond = lines.drawn[at] > inner.ucl[at] || lines.drawn[at] < inner.lcl[at];
                    assert!(lines.z[at].abs() > 2.0 || !is_beyond || is_impossible(lines.drawn[at]), "{place}");
                    assert!(is_beyond || !(lines.z[at].abs() > 2.0), "{place} z = {}", lines.z[at]);
                }
                let is_outside = lines.drawn[at] > lines.ucl[at] || lines.drawn[at] < lines.lcl[at];
                assert_eq!(is_outside, row.is_true("sigma.signal"), "{place} sigma.signal");
                assert!(lines.z[at].abs() > 3.0 || !is_outside || is_impossible(lines.drawn[at]), "{place}");
                assert!(is_outside || !(lines.z[at].abs() > 3.0), "{place} z = {}", lines.z[at]);
                n_signals += usize::from(is_outside);
            }
        }
    }
    println!("{n_cases} cases, {n_rows} rows, {n_signals} points outside");
    assert!(n_cases >= 138 && n_signals > 100, "{n_cases} {n_signals}");
}

/// A case by its id, with its only facet and the rows of its output.
fn departure(id: &str) -> Option<(Value, Facet)> {
    let case = chart_cases("index_qicharts2.json")?.into_iter().find(|case| case["id"] == id).unwrap();
    let facet = facets(&case).remove(0);
    Some((case, facet))
}

fn theirs(case: &Value, column: &str) -> Vec<f64> {
    let rows = csv(&["charts", case["output"].as_str().unwrap()]).unwrap();
    rows.iter().map(|row| row.float(column).unwrap_or(f64::NAN)).collect()
}

/// The sigma of a frozen I prime chart is that of the frozen rows alone; there it is that of all rows.
#[test]
fn a_frozen_prime_chart_is_frozen() {
    let Some((case, facet)) = departure("nhs_accidents_ip_freeze10") else { return };
    let spec = spec(&case);
    let frozen = computed(&case, &facet, &spec, &NONE);
    let all = columns(spec.kind, &facet);
    let rows = LimitRows { value: &all.value[..10], size: &all.size[..10], ..LimitRows::default() };
    let (alone, _) = drawn(&spec, &rows, &NONE);
    assert_eq!(frozen.ucl[..10], alone.ucl[..]);
    let whole = computed(&serde_json::json!({"args": {}}), &facet, &spec, &NONE);
    let (ucl, cl) = (theirs(&case, "ucl"), theirs(&case, "cl"));
    for row in 0..20 {
        close(frozen.center[row], cl[row], 1e-9, "centre");
        close(ucl[row] - cl[row], whole.ucl[row] - whole.center[row], 1e-9, "their width is the unfrozen one");
        assert!((frozen.ucl[row] - frozen.center[row]) / (ucl[row] - cl[row]) < 0.98, "{row}");
    }
}

/// A known centre of a T chart is where it is drawn; there 30 days become 207,796.
#[test]
fn a_known_time_is_where_it_is_said() {
    let Some((case, facet)) = departure("cabg_death_t_fixedcl") else { return };
    let spec = spec(&case);
    let lines = computed(&case, &facet, &spec, &known(&case));
    assert!(lines.center.iter().all(|center| *center == 30.0));
    assert!(theirs(&case, "cl").iter().all(|center| (center - 207_795.68).abs() < 0.01));
    // The width on the transformed scale is that of the chart with its own centre.
    let own = computed(&case, &facet, &spec, &NONE);
    let up = |lines: &Lines| lines.ucl[0].powf(1.0 / 3.6) - lines.center[0].powf(1.0 / 3.6);
    close(up(&lines), up(&own), 1e-9, "width");
}

/// A negative time is no value; there the program stops.
#[test]
fn a_negative_time_is_no_value() {
    let Some((case, facet)) = departure("edge_t_negative_t") else { return };
    assert_eq!(case["error"], "Time between events must be greater than zero");
    let spec = spec(&case);
    let lines = computed(&case, &facet, &spec, &NONE);
    let cleaned: Vec<f64> = facet.y.iter().map(|time| if *time < 0.0 { f64::NAN } else { *time }).collect();
    let (expected, _) = drawn(&spec, &LimitRows { value: &cleaned, ..LimitRows::default() }, &NONE);
    assert_eq!((&lines.center, &lines.ucl), (&expected.center, &expected.ucl));
    let negative = facet.y.iter().position(|time| *time < 0.0).unwrap();
    assert!(lines.drawn[negative].is_nan() && lines.z[negative].is_nan() && lines.center[0] > 0.0);
    // A time of zero is a time: two events on one day.
    let zeros: Vec<f64> = cleaned.iter().map(|time| time.max(0.0) * 0.0).collect();
    let (zero, _) = drawn(&spec, &LimitRows { value: &zeros, ..LimitRows::default() }, &NONE);
    assert!(zero.drawn[0] == 0.0 && zero.center[0] == 0.0 && zero.ucl[0] == 0.0);
}

/// A row without a denominator has no value, and its count is not part of the centre.
#[test]
fn no_count_without_a_denominator() {
    let Some((case, facet)) = departure("edge_zero_denominator_nonzero_numerator_p") else { return };
    let lines = computed(&case, &facet, &spec(&case), &NONE);
    // 54 of 555, and 2 of 0.
    let sum = |of: fn(&Point) -> f64| facet.points.iter().filter(|point| point.size > 0.0).map(of).sum::<f64>();
    close(lines.center[0], sum(|point| point.sum) / sum(|point| point.size), 1e-12, "centre");
    close(theirs(&case, "cl")[0], 56.0 / 555.0, 1e-9, "their centre");
    close(lines.center[0], 54.0 / 555.0, 1e-12, "centre");
    assert!(lines.drawn[2].is_nan() && lines.ucl[2].is_nan() && lines.center[2] == lines.center[0]);
}

/// Where nothing varies the limits lie on the centre; there they are missing.
#[test]
fn nothing_varies() {
    let Some((case, facet)) = departure("edge_p_all_zero_up") else { return };
    let lines = computed(&case, &facet, &spec(&case), &NONE);
    assert!(theirs(&case, "ucl").iter().all(|limit| limit.is_nan()));
    for line in [&lines.drawn, &lines.center, &lines.lcl, &lines.ucl, &lines.z] {
        assert!(line.iter().all(|value| *value == 0.0));
    }
}
