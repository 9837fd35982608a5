//! What changed between the phases of charts, and where new phases might start: both from a chart's table of points.

use std::ops::Range;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::build::{counts, numbers, texts};
use super::chart::add_up;
use super::chart_request::ChartRequest;
use super::columns::{flags, floats, labels};
use super::groups::Groups;
use crate::charts::rebase::{Limits, Proposal, Rebase, RebaseEngine, RebaseMethod, RebaseSpec, stable_shift};
use crate::charts::{
    ChartKind, Contrast, ContrastInput, Known, LimitRows, LimitSpec, Lines, Shape, SizeRole, contrast as compare,
    limit_lines,
};
use crate::{Error, Note, Result};

/// Which phases of a chart are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContrastRequest {
    /// The kind of chart.
    pub kind: ChartKind,
    /// The columns that tell charts apart.
    pub by: Vec<String>,
    /// The phase before; where not given, the one that stands before `after`.
    #[serde(default)]
    pub before: Option<String>,
    /// The phase after; where not given, the one that follows `before`.
    #[serde(default)]
    pub after: Option<String>,
    /// What is compared; where not given, what belongs to the kind of chart.
    #[serde(default)]
    pub shape: Option<Shape>,
}

/// How new phases are looked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RebaseRequest {
    /// The method.
    pub method: RebaseMethod,
    /// How often a stable chart may have a proposal (change points).
    pub alpha: f64,
    /// The fewest points of a phase; the method's own where not given.
    #[serde(default)]
    pub min_length: Option<usize>,
}

/// Proposals of new phases.
#[derive(Debug, Clone)]
pub struct RebaseTables {
    /// One row per proposal.
    pub proposals: DataFrame,
    /// One row per place that was looked at.
    pub log: DataFrame,
    /// Caveats, summed over the charts.
    pub notes: Vec<Note>,
}

/// The points of all charts, read back.
struct Read<'a> {
    table: &'a DataFrame,
    by: &'a [String],
    /// What was measured: the numerator where the limits follow a denominator.
    value: Vec<f64>,
    /// What is drawn, or what is behind it: one number a point.
    level: Vec<f64>,
    size: Vec<f64>,
    spread: Vec<f64>,
    is_excluded: Vec<bool>,
    is_baseline: Vec<bool>,
    /// The rows of each chart.
    charts: Vec<Range<usize>>,
    /// The name and the rows of each phase of each chart.
    phases: Vec<Vec<(String, Range<usize>)>>,
}

impl<'a> Read<'a> {
    fn new(table: &'a DataFrame, by: &'a [String], kind: ChartKind) -> Result<Self> {
        let has = |name: &str| table.get_column_index(name).is_some();
        let optional = |name: &str| if has(name) { floats(table, name) } else { Ok(vec![]) };
        let level = floats(table, if kind.draws_other() { "observed" } else { "value" })?;
        let value = match kind.size() {
            SizeRole::Required => floats(table, "numerator")?,
            _ => level.clone(),
        };
        let size = match kind.size() {
            SizeRole::Required => floats(table, "denominator")?,
            SizeRole::Subgroup => floats(table, "n")?,
            SizeRole::Never | SizeRole::Optional => vec![],
        };
        let names = labels(table, "phase")?;
        // Tables of points stand in the order of their charts, so that each chart's rows are together.
        let charts: Vec<Range<usize>> = Groups::new(table, by)?
            .iter()
            .filter_map(|rows| Some(*rows.first()? as usize..*rows.last()? as usize + 1))
            .collect();
        let phases = charts
            .iter()
            .map(|rows| {
                let mut found: Vec<(String, Range<usize>)> = vec![];
                for row in rows.clone() {
                    let name = names.get(row).and_then(Option::as_deref).unwrap_or_default();
                    match found.last_mut() {
                        Some((last, range)) if last == name => range.end = row + 1,
                        _ => found.push((name.to_owned(), row..row + 1)),
                    }
                }
                found
            })
            .collect();
        Ok(Self {
            table,
            by,
            value,
            level,
            size,
            spread: optional("spread")?,
            is_excluded: flags(table, "is_excluded")?,
            is_baseline: flags(table, "is_baseline")?,
            charts,
            phases,
        })
    }

    fn keys(&self, rows: &[IdxSize]) -> Result<Vec<Column>> {
        let rows = IdxCa::from_slice(PlSmallStr::EMPTY, rows);
        self.by.iter().map(|name| Ok(self.table.column(name)?.take(&rows)?)).collect()
    }

    /// Times at rows; null where there is none.
    fn times(&self, name: &str, rows: impl Iterator<Item = Option<usize>>) -> Result<Column> {
        let rows: IdxCa = rows.map(|row| row.and_then(|row| IdxSize::try_from(row).ok())).collect();
        let mut column = self.table.column("time")?.take(&rows)?;
        column.rename(name.into());
        Ok(column)
    }

    /// The limits at two rows of a chart whose phases are these.
    fn limits(&self, spec: &LimitSpec, phases: &[Range<usize>], at: usize) -> Option<Limits> {
        let own = phases.iter().find(|rows| rows.contains(&at))?;
        let rows = LimitRows {
            value: part(&self.value, own),
            size: part(&self.size, own),
            spread: part(&self.spread, own),
            is_excluded: part(&self.is_excluded, own),
            is_baseline: &[],
        };
        let mut lines = Lines::default();
        limit_lines(spec, &rows, &Known::default(), &mut lines).ok()?;
        let of = |line: &[f64]| line.get(at - own.start).copied().filter(|limit| limit.is_finite());
        Some(Limits { center: of(&lines.center)?, lcl: of(&lines.lcl)?, ucl: of(&lines.ucl)? })
    }
}

/// One comparison, with the chart it is of.
struct Compared {
    first: usize,
    from: String,
    to: String,
    found: Contrast,
}

/// Compare phases of charts: one row per chart and pair of phases, and notes summed over them.
///
/// `points` is the table of points of [`super::chart()`].
///
/// # Errors
/// [`Error::InvalidOption`] for a phase that no chart has, charts that have nothing to compare, and a shape that the data do not
/// have.
pub fn contrast(points: &DataFrame, request: &ContrastRequest) -> Result<(DataFrame, Vec<Note>)> {
    let read = Read::new(points, &request.by, request.kind)?;
    let shape = request.shape.unwrap_or(Shape::of_chart(request.kind.as_str())?);
    let is_of_counts = matches!(shape, Shape::Proportion | Shape::Rate | Shape::Gap);
    let own = Shape::of_chart(request.kind.as_str())?;
    if is_of_counts && own != shape {
        return Err(Error::option(
            "shape",
            serde_json::to_string(&shape).unwrap_or_default(),
            format!("\"mean\" or \"median\" for kind={:?}", request.kind.as_str()),
        ));
    }
    let mut compared = vec![];
    for (chart, phases) in read.charts.iter().zip(&read.phases) {
        for (from, to) in pairs(&read, request, chart, phases) {
            let flag =
                |rows: &Rows| chart.clone().map(|row| rows.has(row) && !is_set(&read.is_excluded, row)).collect();
            let (is_before, is_after): (Vec<bool>, Vec<bool>) = (flag(&from.1), flag(&to.1));
            let values = if is_of_counts { &read.value } else { &read.level };
            let size: &[f64] = if is_of_counts { part(&read.size, chart) } else { &[] };
            let input = ContrastInput { value: part(values, chart), size, is_before: &is_before, is_after: &is_after };
            compared.push(Compared { first: chart.start, from: from.0, to: to.0, found: compare(shape, &input)? });
        }
    }
    if compared.is_empty() {
        return Err(nothing_to_compare(&read, request));
    }
    let found = || compared.iter().map(|one| &one.found);
    let rows: Vec<IdxSize> = compared.iter().filter_map(|one| IdxSize::try_from(one.first).ok()).collect();
    let mut columns = read.keys(&rows)?;
    let codes = |code: &dyn Fn(&Contrast) -> serde_json::Value| -> Vec<String> {
        found().map(|one| code(one).as_str().unwrap_or_default().to_owned()).collect()
    };
    let shapes = codes(&|one| serde_json::json!(one.shape));
    let methods = codes(&|one| serde_json::json!(one.method));
    columns.push(texts("from_phase", compared.iter().map(|one| Some(one.from.as_str()))));
    columns.push(texts("to_phase", compared.iter().map(|one| Some(one.to.as_str()))));
    columns.push(texts("shape", shapes.iter().map(|one| Some(one.as_str()))));
    columns.push(texts("method", methods.iter().map(|one| Some(one.as_str()))));
    columns.push(counts("n_before", found().map(|one| Some(one.n_before))));
    columns.push(counts("n_after", found().map(|one| Some(one.n_after))));
    let number = |name: &str, of: fn(&Contrast) -> Option<f64>| numbers(name, found().map(of));
    columns.push(number("before", |one| one.before));
    columns.push(number("after", |one| one.after));
    columns.push(number("estimate", |one| one.estimate));
    columns.push(number("lo", |one| one.lo));
    columns.push(number("hi", |one| one.hi));
    columns.push(number("p_above", |one| one.p_above));
    columns.push(number("p_below", |one| one.p_below));
    columns.push(number("phi", |one| one.phi));
    columns.push(number("dispersion", |one| one.dispersion));
    let mut notes = vec![];
    add_up(&mut notes, found().flat_map(|one| &one.notes));
    Ok((DataFrame::new(compared.len(), columns)?, notes))
}

/// The rows of one side of a comparison.
enum Rows {
    Range(Range<usize>),
    Flags(Vec<usize>),
}

impl Rows {
    fn has(&self, row: usize) -> bool {
        match self {
            Self::Range(range) => range.contains(&row),
            Self::Flags(rows) => rows.binary_search(&row).is_ok(),
        }
    }
}

type Side = (String, Rows);

/// The pairs of phases of one chart that are compared.
fn pairs(
    read: &Read<'_>,
    request: &ContrastRequest,
    chart: &Range<usize>,
    phases: &[(String, Range<usize>)],
) -> Vec<(Side, Side)> {
    let side = |phase: &(String, Range<usize>)| (phase.0.clone(), Rows::Range(phase.1.clone()));
    let place = |name: &String| phases.iter().position(|(own, _)| own == name);
    match (&request.before, &request.after) {
        (None, None) if phases.len() == 1 => {
            let (base, later): (Vec<usize>, Vec<usize>) =
                chart.clone().partition(|&row| is_set(&read.is_baseline, row));
            if base.is_empty() || later.is_empty() {
                return vec![];
            }
            vec![(("baseline".into(), Rows::Flags(base)), ("after".into(), Rows::Flags(later)))]
        }
        (None, None) => phases
            .windows(2)
            .filter_map(|pair| match pair {
                [before, after] => Some((side(before), side(after))),
                _ => None,
            })
            .collect(),
        (before, after) => {
            let (from, to) = match (before.as_ref().map(place), after.as_ref().map(place)) {
                (Some(from), Some(to)) => (from, to),
                (Some(from), None) => (from, from.map(|place| place + 1)),
                (None, Some(to)) => (to.and_then(|place| place.checked_sub(1)), to),
                (None, None) => (None, None),
            };
            let pair = from.and_then(|from| phases.get(from)).zip(to.and_then(|to| phases.get(to)));
            pair.map(|(from, to)| (side(from), side(to))).into_iter().collect()
        }
    }
}

fn nothing_to_compare(read: &Read<'_>, request: &ContrastRequest) -> Error {
    let mut names: Vec<&str> = vec![];
    for (name, _) in read.phases.iter().flatten() {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let known = format!("the name of a phase; the phases are {names:?}");
    for (option, given) in [("before", &request.before), ("after", &request.after)] {
        if let Some(given) = given.as_ref().filter(|given| !names.contains(&given.as_str())) {
            return Error::option(option, format!("{given:?}"), known);
        }
    }
    if request.before.is_some() || request.after.is_some() {
        return Error::option("before, after", format!("{:?}, {:?}", request.before, request.after), known);
    }
    Error::option("phases", "one, without a frozen baseline,", "several, or one with a baseline and points after it")
}

/// Propose where charts might start anew; nothing is applied.
///
/// `points` is the table of points of [`super::chart()`], `chart` what was asked of it. Each phase that a chart has is
/// looked at by itself.
///
/// # Errors
/// [`Error::InvalidOption`] for options that the method does not take.
pub fn propose_phases(points: &DataFrame, chart: &ChartRequest, request: &RebaseRequest) -> Result<RebaseTables> {
    let read = Read::new(points, &chart.by, chart.kind)?;
    // What is known of the chart as it is says nothing of its new phases.
    let limits = LimitSpec { widen: false, ..chart.spec()?.limits };
    let spec = rebase_spec(request);
    spec.validate()?;
    let mut engine = RebaseEngine::new();
    let (mut proposals, mut log, mut notes) = (vec![], vec![], vec![]);
    for (rows, phases) in read.charts.iter().zip(&read.phases) {
        for (name, phase) in phases {
            let found = search(&read, &limits, phase, &spec, &mut engine)?;
            let starts: Vec<usize> = found.proposals.iter().map(|one| phase.start + one.starts_at).collect();
            let bounds: Vec<usize> = std::iter::once(phase.start).chain(starts).chain([phase.end]).collect();
            let parts: Vec<Range<usize>> =
                bounds.windows(2).filter_map(|pair| Some(*pair.first()?..*pair.last()?)).collect();
            for mut proposal in found.proposals {
                let start = phase.start + proposal.starts_at;
                proposal.limits_before =
                    proposal.limits_before.or_else(|| read.limits(&limits, &parts, start.checked_sub(1)?));
                proposal.limits_after = proposal.limits_after.or_else(|| read.limits(&limits, &parts, start));
                proposals.push((rows.start, name.clone(), phase.start, proposal));
            }
            log.extend(found.log.iter().map(|one| (rows.start, name.clone(), phase.start, *one)));
            add_up(&mut notes, found.notes.iter());
        }
    }
    Ok(RebaseTables { proposals: proposal_table(&read, &proposals)?, log: log_table(&read, &log)?, notes })
}

fn rebase_spec(request: &RebaseRequest) -> RebaseSpec {
    let mut spec = RebaseSpec { alpha: request.alpha, ..RebaseSpec::of(request.method) };
    if let Some(length) = request.min_length {
        match request.method {
            RebaseMethod::ChangePoint => spec.min_length = length,
            RebaseMethod::StableShift => spec.period_min = length,
            RebaseMethod::FixedRun => spec.baseline = length,
        }
    }
    spec
}

/// The search in one phase; the stable shift algorithm works with the chart's own limits.
fn search(
    read: &Read<'_>,
    limits: &LimitSpec,
    phase: &Range<usize>,
    spec: &RebaseSpec,
    engine: &mut RebaseEngine,
) -> Result<Rebase> {
    let values = part(&read.level, phase);
    let excluded = part(&read.is_excluded, phase);
    if spec.method != RebaseMethod::StableShift || !limits.kind.has_limits() {
        return engine.propose(values, excluded, spec);
    }
    let mut lines = Lines::default();
    let of_rows = |basis: &[usize], drawn: &[usize]| {
        let mut is_baseline = vec![false; phase.len()];
        for &row in basis {
            if let Some(cell) = is_baseline.get_mut(row) {
                *cell = true;
            }
        }
        let rows = LimitRows {
            value: part(&read.value, phase),
            size: part(&read.size, phase),
            spread: part(&read.spread, phase),
            is_excluded: excluded,
            is_baseline: &is_baseline,
        };
        limit_lines(limits, &rows, &Known::default(), &mut lines).ok()?;
        let at = |line: &[f64], row: usize| line.get(row).copied().filter(|limit| limit.is_finite());
        drawn
            .iter()
            .map(|&row| {
                Some(Limits { center: at(&lines.center, row)?, lcl: at(&lines.lcl, row)?, ucl: at(&lines.ucl, row)? })
            })
            .collect::<Option<Vec<_>>>()
    };
    Ok(stable_shift(values, excluded, spec, of_rows)?.into_rebase())
}

type Place<T> = (usize, String, usize, T);

fn proposal_table(read: &Read<'_>, found: &[Place<Proposal>]) -> Result<DataFrame> {
    let rows: Vec<IdxSize> = found.iter().filter_map(|one| IdxSize::try_from(one.0).ok()).collect();
    let mut columns = read.keys(&rows)?;
    columns.push(texts("phase", found.iter().map(|one| Some(one.1.as_str()))));
    let row = |place: fn(&Proposal) -> Option<usize>| {
        found.iter().map(move |(_, _, start, one)| place(one).map(|row| start + row))
    };
    columns.push(read.times("starts", row(|one| Some(one.starts_at)))?);
    columns.push(read.times("from", row(|one| one.from))?);
    columns.push(read.times("to", row(|one| one.to))?);
    let number = |name: &str, of: fn(&Proposal) -> Option<f64>| numbers(name, found.iter().map(|one| of(&one.3)));
    columns.push(number("before", |one| Some(one.before)));
    columns.push(number("after", |one| Some(one.after)));
    columns.push(number("estimate", |one| Some(one.estimate)));
    columns.push(number("lo", |one| one.lo));
    columns.push(number("hi", |one| one.hi));
    columns.push(number("p", |one| one.p));
    columns.push(number("lcl_before", |one| Some(one.limits_before?.lcl)));
    columns.push(number("ucl_before", |one| Some(one.limits_before?.ucl)));
    columns.push(number("lcl_after", |one| Some(one.limits_after?.lcl)));
    columns.push(number("ucl_after", |one| Some(one.limits_after?.ucl)));
    Ok(DataFrame::new(found.len(), columns)?)
}

fn log_table(read: &Read<'_>, log: &[Place<crate::charts::rebase::Decision>]) -> Result<DataFrame> {
    let rows: Vec<IdxSize> = log.iter().filter_map(|one| IdxSize::try_from(one.0).ok()).collect();
    let mut columns = read.keys(&rows)?;
    columns.push(texts("phase", log.iter().map(|one| Some(one.1.as_str()))));
    columns.push(read.times("time", log.iter().map(|(_, _, start, one)| one.row.map(|row| start + row)))?);
    columns.push(texts("decision", log.iter().map(|one| Some(one.3.code.as_str()))));
    columns.push(numbers("p", log.iter().map(|one| one.3.p)));
    Ok(DataFrame::new(log.len(), columns)?)
}

fn part<'a, T>(slice: &'a [T], rows: &Range<usize>) -> &'a [T] {
    slice.get(rows.clone()).unwrap_or(&[])
}

fn is_set(flags: &[bool], row: usize) -> bool {
    flags.get(row).copied().unwrap_or(false)
}
