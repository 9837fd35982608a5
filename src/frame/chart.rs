//! Charts over time, frame to frame: any number of them in one call.

use std::ops::Range;

use polars::prelude::*;
use polars_core::runtime::RAYON;
use rayon::prelude::*;

use super::chart_request::ChartRequest;
use super::chart_tables::{Found, Layout, RESERVED, tables};
use super::columns::check_keys;
use super::given::Givens;
use super::groups::Groups;
use super::phases::{Baseline, BaselineRule, Directions, Split, Splits};
use super::points::{PointColumns, Points};
use super::sheet::{Part, Sheet};
use super::time::Times;
use crate::charts::{Chart, ChartEngine, ChartInput, ChartSpec, SizeRole};
use crate::{Note, NoteCode, Result};

/// What comes of it.
#[derive(Debug, Clone)]
pub struct ChartTables {
    /// One row per point.
    pub points: DataFrame,
    /// One row per chart and phase.
    pub summary: DataFrame,
    /// One row per chart, phase and kind of signal.
    pub signals: DataFrame,
    /// Caveats, summed over the charts.
    pub notes: Vec<Note>,
}

/// Charts between two looks at whether the caller wants to stop.
const BLOCK: usize = 20_000;

/// Fewer charts than this are not worth a thread of their own.
const MIN_CHARTS: usize = 64;

/// Draw any number of charts: [`ChartEngine`] on every group of the frame, in parallel.
///
/// `progress` is told how many charts are done, of how many, and stops the work by returning an error. Where there are
/// several charts, `q_value` is the Benjamini-Hochberg adjusted probability that a stable process looks at least as odd.
///
/// # Errors
/// For columns that are missing or of the wrong type, repeated times without an `aggregate`, counts that cannot be, and
/// options that do not fit the data; see [`crate::Error`].
///
/// # References
/// As [`ChartEngine::chart`]; Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57:289.
///
/// # Examples
/// ```
/// use brightspot::charts::ChartKind;
/// use brightspot::frame::{Baseline, ChartRequest, chart};
/// use polars::prelude::*;
///
/// let frame = df!(
///     "week" => (1..=20).collect::<Vec<i32>>(),
///     "score" => [61, 64, 60, 63, 65, 62, 59, 64, 61, 63, 66, 68, 67, 70, 66, 69, 71, 68, 70, 69],
/// )?;
/// let request =
///     ChartRequest { baseline: Some(Baseline::Count(10)), ..ChartRequest::new(ChartKind::Run, "score", "week") };
/// let tables = chart(&frame, &request, &|_, _| Ok(()))?;
/// assert_eq!(tables.summary.column("center")?.f64()?.get(0), Some(62.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn chart(
    df: &DataFrame,
    request: &ChartRequest,
    progress: &(dyn Fn(usize, usize) -> Result<()> + Sync),
) -> Result<ChartTables> {
    check_keys(df, "by", &request.by, RESERVED)?;
    let spec = request.spec()?;
    let times = Times::new(df, &request.time)?;
    let columns = PointColumns {
        reading: request.reading()?,
        value: &request.value,
        size: request.size.as_deref(),
        spread: request.spread.as_deref(),
        exclude: request.exclude.as_deref(),
        target: request.target.as_ref(),
        baseline: match &request.baseline {
            Some(Baseline::Column(name)) => Some(name),
            _ => None,
        },
        aggregate: request.aggregate,
    };
    let points = Points::new(df, &Groups::new(df, &request.by)?, &times, &columns)?;
    let splits = Splits::new(df, request.phases.as_ref(), &times)?;
    splits.check(&points)?;
    let context = Context {
        spec: &spec,
        directions: Directions::new(df, &request.direction)?,
        splits: &splits,
        baseline: BaselineRule::new(request.baseline.as_ref(), &times)?,
        givens: Givens::new(df, request)?,
        points: &points,
        times: &times,
    };

    let total = points.charts.len();
    let mut sheet = Sheet::new(points.row.len(), request.kind);
    let mut parts = sheet.whole();
    let (mut found, mut notes): (Vec<Found<'_>>, _) = (Vec::with_capacity(total), points.notes.clone());
    for (block, done) in points.charts.chunks(BLOCK).zip((0..).step_by(BLOCK)) {
        progress(done, total)?;
        // One piece of work for each thread: what an engine has computed serves all of its charts.
        let some = block.len().div_ceil(RAYON.current_num_threads()).max(MIN_CHARTS);
        let pieces: Vec<_> = block.chunks(some).map(|charts| (charts, parts.take(n_points(charts)))).collect();
        let drawn: Vec<Result<Piece<'_>>> =
            RAYON.install(|| pieces.into_par_iter().map(|(charts, part)| draw(&context, charts, part)).collect());
        for piece in drawn {
            let piece = piece?;
            found.extend(piece.found);
            add_up(&mut notes, piece.notes.iter());
        }
    }
    progress(total, total)?;
    notes.extend(many_charts(total, &found));
    let layout =
        Layout { by: &request.by, time: &request.time, kind: request.kind, has_target: request.target.is_some() };
    let tables = tables(df, &layout, points, sheet, found)?;
    Ok(ChartTables { points: tables.points, summary: tables.summary, signals: tables.signals, notes })
}

fn n_points(charts: &[Range<usize>]) -> usize {
    charts.iter().map(ExactSizeIterator::len).sum()
}

/// From this many charts on, some signal by chance alone.
const MANY_CHARTS: usize = 20;

/// How many of the charts would signal if all were stable.
fn many_charts(n_charts: usize, found: &[Found<'_>]) -> Option<Note> {
    let expected = found.iter().filter_map(|one| one.result.prob_false_signal).sum::<f64>().round();
    (n_charts >= MANY_CHARTS).then(|| Note::new(NoteCode::ManyCharts, n_charts).with_value(expected))
}

/// What all charts of one call share; the names of phases (`'s`) outlive the points.
struct Context<'a, 's> {
    spec: &'a ChartSpec,
    directions: Directions,
    splits: &'s Splits,
    baseline: BaselineRule,
    givens: Givens,
    points: &'a Points,
    times: &'a Times,
}

/// What one thread has drawn.
struct Piece<'a> {
    found: Vec<Found<'a>>,
    notes: Vec<Note>,
}

/// Draws some of the charts, one after the other, onto their part of the sheet.
fn draw<'s>(context: &Context<'_, 's>, charts: &[Range<usize>], mut part: Part<'_>) -> Result<Piece<'s>> {
    let mut engine = ChartEngine::new(context.spec.clone())?;
    let mut piece = Piece { found: Vec::with_capacity(charts.len()), notes: vec![] };
    let (mut chart, mut split, mut steps) = (Chart::default(), vec![], vec![]);
    for rows in charts {
        context.splits.put(context.points, rows.clone(), &mut split);
        context.draw(&mut engine, rows.clone(), &split, &mut chart)?;
        part.put(&chart);
        // Values without a number were counted as points came in.
        add_up(&mut piece.notes, chart.notes.iter().filter(|note| note.code != NoteCode::MissingValue));
        let has_gaps = context.times.has_gaps(context.points.keys(rows.clone()), &mut steps);
        let lacks_a_phase = context.splits.lacks_a_phase(&split);
        for (code, is_so) in [(NoteCode::Gaps, has_gaps), (NoteCode::EmptyPhase, lacks_a_phase)] {
            if is_so {
                add_up(&mut piece.notes, std::iter::once(&Note::new(code, 1)));
            }
        }
        // Charts without any point (no row had a time) have no row in the tables either.
        if let Some(&row) = context.points.row.get(rows.start).filter(|_| !rows.is_empty()) {
            let phases = split.drain(..).zip(chart.phases.drain(..));
            piece.found.extend(phases.map(|((name, _), result)| Found { start: rows.start, row, name, result }));
        }
    }
    Ok(piece)
}

impl Context<'_, '_> {
    /// One chart, with these names and ranges of its phases.
    fn draw(&self, engine: &mut ChartEngine, rows: Range<usize>, split: &[Split<'_>], chart: &mut Chart) -> Result<()> {
        let points = self.points;
        let flags = self.baseline.flags(points, rows.clone());
        let mut phases = self.baseline.phases(split.iter().map(|(_, range)| range.clone()), &flags);
        self.givens.put(points, rows.clone(), &mut phases)?;
        let role = self.spec.limits.kind.size();
        let value: &[f64] = if role == SizeRole::Required { &points.numerator } else { &points.value };
        let size: &[f64] =
            if matches!(role, SizeRole::Required | SizeRole::Subgroup) { &points.denominator } else { &[] };
        let input = ChartInput {
            value: value.get(rows.clone()).unwrap_or(&[]),
            size: size.get(rows.clone()).unwrap_or(&[]),
            spread: points.spread.get(rows.clone()).unwrap_or(&[]),
            is_excluded: points.is_excluded.get(rows.clone()).unwrap_or(&[]),
            phases: &phases,
            direction: self.directions.of(points, rows.clone())?,
            target: points.target.get(rows).unwrap_or(&[]),
        };
        engine.chart_into(&input, chart)
    }
}

/// Notes of one code become one, with the counts summed and the value of the first kept where it is alone.
pub(super) fn add_up<'a>(notes: &mut Vec<Note>, more: impl Iterator<Item = &'a Note>) {
    for note in more {
        match notes.iter_mut().find(|there| there.code == note.code && there.at == note.at) {
            Some(there) => {
                there.count += note.count;
                there.value = None;
            }
            None => notes.push(note.clone()),
        }
    }
}
