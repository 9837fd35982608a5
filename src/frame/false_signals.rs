//! How often stable charts signal, as a table.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::build::{counts, numbers, texts};
use super::chart_request::rule_set;
use crate::Result;
use crate::charts::{ChartKind, ChartSpec, false_signals as law};
use crate::rules::RuleSet;

/// Which rule sets, on which charts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FalseSignalRequest {
    /// Rule sets, each one set or several together, by name or as data.
    pub rules: Vec<Vec<serde_json::Value>>,
    /// Numbers of points.
    pub n: Vec<usize>,
    /// The first points, on which centre and limits rest; all where not given.
    pub baseline: Option<usize>,
    /// The kind of chart; a rule set that needs no limits is judged on a run chart.
    pub kind: ChartKind,
}

/// How often a stable chart signals, for each rule set and number of points: any signal, and each kind of signal.
///
/// # Errors
/// As [`crate::charts::false_signals`].
pub fn false_signals(
    request: &FalseSignalRequest,
    progress: &(dyn Fn(usize, usize) -> Result<()> + Sync),
) -> Result<DataFrame> {
    let mut rows: Vec<(String, usize, &'static str, f64, bool)> = vec![];
    let total = request.rules.len() * request.n.len();
    for (place, given) in request.rules.iter().enumerate() {
        let sets = given.iter().map(rule_set).collect::<Result<Vec<_>>>()?;
        let rules = RuleSet::union(&sets)?;
        let kind = if rules.needs_limits() { request.kind } else { ChartKind::Run };
        let spec = ChartSpec { rules, ..ChartSpec::new(kind) };
        for (at, &n) in request.n.iter().enumerate() {
            progress(place * request.n.len() + at, total)?;
            let found = law(&spec, n, request.baseline)?;
            let name = &spec.rules.name;
            rows.push((name.clone(), n, "any", found.any, found.is_exact));
            rows.extend(
                found.by_signal.iter().map(|(signal, prob)| (name.clone(), n, signal.as_str(), *prob, found.is_exact)),
            );
        }
    }
    Ok(DataFrame::new(
        rows.len(),
        vec![
            texts("rules", rows.iter().map(|row| Some(row.0.as_str()))),
            counts("n", rows.iter().map(|row| Some(row.1))),
            counts("baseline", rows.iter().map(|row| Some(request.baseline.unwrap_or(row.1)))),
            texts("signal", rows.iter().map(|row| Some(row.2))),
            numbers("prob_false_signal", rows.iter().map(|row| Some(row.3))),
            texts("basis", rows.iter().map(|row| Some(if row.4 { "exact" } else { "simulated" }))),
        ],
    )?)
}
