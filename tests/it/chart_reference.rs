//! Reading the reference outputs for charts, where the folder that `BRIGHTSPOT_REFERENCE` names is there.
// Helpers outside of a test function are test code too.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::PathBuf;

use brightspot::stats::summary::median;
use serde_json::Value;

/// One row of a table, by column.
pub(crate) struct Row(HashMap<String, String>);

impl Row {
    /// The text of a cell; `None` for NA, NaN and a column that is not there.
    pub(crate) fn text(&self, column: &str) -> Option<&str> {
        self.0.get(column).map(String::as_str).filter(|text| !matches!(*text, "" | "NA" | "NaN"))
    }

    pub(crate) fn float(&self, column: &str) -> Option<f64> {
        self.text(column).map(|text| match text {
            "Inf" => f64::INFINITY,
            "-Inf" => f64::NEG_INFINITY,
            number => number.parse().unwrap(),
        })
    }

    pub(crate) fn int(&self, column: &str) -> Option<usize> {
        self.float(column).map(|number| number as usize)
    }

    pub(crate) fn is_true(&self, column: &str) -> bool {
        self.text(column) == Some("TRUE")
    }
}

/// The folder, or `None` with a word on why the test does nothing.
pub(crate) fn reference() -> Option<PathBuf> {
    let folder = std::env::var_os("BRIGHTSPOT_REFERENCE").map(PathBuf::from).filter(|folder| folder.is_dir());
    if folder.is_none() {
        println!("skipped: BRIGHTSPOT_REFERENCE names no folder of reference outputs");
    }
    folder
}

/// The rows of a table below the reference folder. No cell of these tables holds a comma.
pub(crate) fn csv(path: &[&str]) -> Option<Vec<Row>> {
    let text = std::fs::read_to_string(path.iter().fold(reference()?, |at, part| at.join(part))).unwrap();
    let cells = |line: &str| line.split(',').map(|cell| cell.trim_matches('"').to_owned()).collect::<Vec<_>>();
    let mut lines = text.lines();
    let header = cells(lines.next().unwrap());
    Some(
        lines
            .filter(|line| !line.is_empty())
            .map(|line| {
                let row = cells(line);
                assert_eq!(row.len(), header.len(), "{line}");
                Row(header.iter().cloned().zip(row).collect())
            })
            .collect(),
    )
}

/// The cases that an index lists.
pub(crate) fn chart_cases(index: &str) -> Option<Vec<Value>> {
    let text = std::fs::read_to_string(reference()?.join("charts").join(index)).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// What qicharts2 makes of all rows of one time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    /// The sum of the values.
    pub(crate) sum: f64,
    /// The sum of the denominators.
    pub(crate) size: f64,
    /// How many values there are, their mean, and their standard deviation.
    pub(crate) n: f64,
    pub(crate) mean: f64,
    pub(crate) sd: f64,
}

/// The points of one facet in the order of time.
pub(crate) struct Facet {
    pub(crate) name: String,
    pub(crate) points: Vec<Point>,
    /// The value that qicharts2 draws: a ratio where there is a denominator, else the mean or what `agg.fun` names. What is
    /// not finite is missing.
    pub(crate) y: Vec<f64>,
    /// The label of each point's phase, where a column holds them.
    labels: Vec<Option<String>>,
}

/// Groups a case's rows as qicharts2 does: by facet and x, or by a period of x.
pub(crate) fn facets(case: &Value) -> Vec<Facet> {
    let rows = csv(&["charts", case["input"].as_str().unwrap()]).unwrap();
    let columns: Vec<&str> = case["facets"]
        .as_str()
        .map(|formula| formula.split('~').filter(|part| !part.is_empty()).collect())
        .unwrap_or_default();
    let mut grouped: BTreeMap<(String, String), Vec<&Row>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        let x = match case["x"].as_str() {
            None => format!("{at:06}"),
            Some(column) => match row.text(column) {
                None => continue,
                // Numbers sort as numbers, dates and names as text.
                Some(x) if case["x_type"] == "numeric" => format!("{:020.6}", x.parse::<f64>().unwrap() + 1e9),
                Some(x) => in_period(x, case["args"]["x.period"].as_str()),
            },
        };
        let name = columns.iter().map(|column| row.text(column).unwrap()).collect::<Vec<_>>().join(",");
        grouped.entry((name, x)).or_default().push(row);
    }
    let has_size = !case["n"].is_null();
    let mut facets: Vec<Facet> = Vec::new();
    for ((name, _), group) in grouped {
        let complete: Vec<(f64, f64)> = group
            .iter()
            .filter_map(|row| Some((row.float("y")?, if has_size { row.float("n")? } else { f64::NAN })))
            .collect();
        let n = complete.len() as f64;
        let sum = if complete.is_empty() { f64::NAN } else { complete.iter().map(|pair| pair.0).sum() };
        let size = complete.iter().map(|pair| pair.1).sum();
        let mean = sum / n;
        let sd = (complete.iter().map(|pair| (pair.0 - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        let y = match case["args"]["agg.fun"].as_str() {
            Some("median") if !has_size => {
                median(&mut complete.iter().map(|pair| pair.0).collect::<Vec<_>>()).unwrap_or(f64::NAN)
            }
            _ if has_size => sum / size,
            None | Some("mean") => mean,
            Some("sum") => sum,
            Some("sd") => sd,
            Some(other) => panic!("agg.fun = {other}"),
        };
        if facets.last().is_none_or(|facet| facet.name != name) {
            facets.push(Facet { name, points: vec![], y: vec![], labels: vec![] });
        }
        let facet = facets.last_mut().unwrap();
        facet.points.push(Point { sum, size, n, mean, sd });
        facet.y.push(if y.is_finite() { y } else { f64::NAN });
        let label = case["column_args"]["part"].as_str().and_then(|column| group[0].text(column));
        facet.labels.push(label.map(str::to_owned));
    }
    facets
}

/// The period that a date lies in.
fn in_period(date: &str, period: Option<&str>) -> String {
    match period {
        Some("year") => date[..4].to_owned(),
        Some("quarter") => format!("{}-{}", &date[..4], (date[5..7].parse::<u8>().unwrap() - 1) / 3),
        _ => date.to_owned(),
    }
}

/// A number or a list of numbers.
fn whole_numbers(argument: &Value) -> Vec<usize> {
    match argument {
        Value::Array(numbers) => numbers.iter().map(|number| number.as_u64().unwrap() as usize).collect(),
        Value::Null => vec![],
        number => vec![number.as_u64().unwrap() as usize],
    }
}

impl Facet {
    /// The phases that the case asks for.
    pub(crate) fn parts(&self, case: &Value) -> Vec<Range<usize>> {
        let n = self.y.len();
        let mut cuts: Vec<usize> = whole_numbers(&case["args"]["part"]).into_iter().filter(|cut| *cut < n).collect();
        cuts.extend((1..n).filter(|row| self.labels[*row] != self.labels[row - 1]));
        cuts.push(n);
        cuts.into_iter().scan(0, |start, end| Some(std::mem::replace(start, end)..end)).collect()
    }

    /// Whether a point is excluded: the case counts them from 1.
    pub(crate) fn excluded(&self, case: &Value) -> Vec<bool> {
        let rows = whole_numbers(&case["args"]["exclude"]);
        (1..=self.y.len()).map(|row| rows.contains(&row)).collect()
    }

    /// The rows of the output that belong to this facet.
    pub(crate) fn rows_of<'r>(&self, expected: &'r [Row]) -> Vec<&'r Row> {
        let rows: Vec<&Row> = expected
            .iter()
            .filter(|row| {
                let names = [row.text("facet1").unwrap(), row.text("facet2").unwrap()];
                self.name.is_empty() || self.name == names.join(",") || self.name == names[0] || self.name == names[1]
            })
            .collect();
        assert_eq!(rows.len(), self.y.len(), "{}", self.name);
        rows
    }
}
