//! Funnel charts, frame to frame.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::build::{counts, flags, numbers};
use super::columns::{check_keys, floats};
use super::factors::{Codes, MISSING};
use crate::bright::funnel::{Bounds, Funnel, FunnelInput, FunnelSpec, Kind, funnel as core};
use crate::{Error, Note, NoteCode, Result};

/// What is asked of a funnel chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunnelRequest {
    /// The column of counts or of means.
    pub value: String,
    /// The column of denominators, expected counts, or numbers of measurements; without it each row is one.
    #[serde(default)]
    pub size: Option<String>,
    /// The column that names the units.
    pub unit: String,
    /// The column of standard deviations within units, for means that come with a size.
    #[serde(default)]
    pub sd: Option<String>,
    /// How the chart is made.
    #[serde(default)]
    pub spec: FunnelSpec,
}

/// A funnel chart with its labels.
#[derive(Debug, Clone)]
pub struct FunnelTables {
    funnel: Funnel,
    spec: FunnelSpec,
    unit: Codes,
    /// The code of each unit of the funnel.
    codes: Vec<u32>,
    n_rows: Vec<usize>,
    notes: Vec<Note>,
}

const RESERVED: &[&str] = &["value", "size", "n_rows", "z", "z_adjusted", "p", "q_value"];

/// What the rows of one unit add up to.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n_rows: usize,
    value: f64,
    size: f64,
    /// The sum of squares within, and its degrees of freedom.
    within: f64,
    df: f64,
}

/// A funnel chart of a frame: [`core`] on its units. Rows of one unit are added up.
///
/// # Errors
/// For columns that are missing or of the wrong type, counts above their denominators, and criteria out of range.
pub fn funnel(df: &DataFrame, request: &FunnelRequest) -> Result<FunnelTables> {
    check_keys(df, "unit", std::slice::from_ref(&request.unit), RESERVED)?;
    let kind = request.spec.kind;
    if request.size.is_none() && !matches!(kind, Kind::Proportion | Kind::Mean) {
        return Err(Error::option("size", "None", "the column of expected counts, or of the other count"));
    }
    let unit = Codes::new(df, &request.unit)?;
    let value = floats(df, &request.value)?;
    let size = match &request.size {
        Some(size) => floats(df, size)?,
        None => vec![1.0; value.len()],
    };
    let sd = request.sd.as_ref().map(|sd| floats(df, sd)).transpose()?;
    let mut sums = vec![Sums::default(); unit.keys.len()];
    let (mut n_left_out, mut n_without_size) = (0, 0);
    for (row, ((&code, &value), &size)) in unit.of_row.iter().zip(&value).zip(&size).enumerate() {
        let sd = sd.as_ref().map(|sd| sd.get(row).copied().unwrap_or(f64::NAN));
        let least = if kind == Kind::CountRatio { 0.0 } else { f64::MIN_POSITIVE };
        if code == MISSING || !value.is_finite() || sd.is_some_and(|sd| !sd.is_finite()) {
            n_left_out += 1;
            continue;
        }
        if !(size.is_finite() && size >= least) {
            n_without_size += 1;
            continue;
        }
        if kind == Kind::Proportion && !(0.0..=size).contains(&value) {
            let label = unit.labels()?.get(code as usize).cloned().unwrap_or_default();
            return Err(Error::InvalidValue {
                what: "the counts of a proportion".into(),
                found: format!("{value} of {size} for {:?} {label:?}", request.unit),
                remedy: "a count lies between 0 and its denominator; for an expected count use kind=\"ratio\"".into(),
            });
        }
        if let Some(sum) = sums.get_mut(code as usize) {
            sum.add(kind, value, size, sd);
        }
    }
    let codes: Vec<u32> = (0..).zip(&sums).filter(|(_, sum)| sum.n_rows > 0).map(|(code, _)| code).collect();
    sums.retain(|sum| sum.n_rows > 0);
    let mut notes = vec![];
    if n_left_out > 0 {
        notes.push(Note::new(NoteCode::RowsLeftOut, n_left_out));
    }
    if n_without_size > 0 {
        notes.push(Note::new(NoteCode::NoSize, n_without_size));
    }
    let (values, sizes): (Vec<f64>, Vec<f64>) = sums.iter().map(|sum| (sum.value, sum.size)).unzip();
    let (within, df) = sums.iter().fold((0.0, 0.0), |(ss, df), sum| (ss + sum.within, df + sum.df));
    let pooled = (kind == Kind::Mean && df > 0.0).then(|| (within / df).sqrt());
    let found = core(&FunnelInput { value: &values, size: &sizes, sd: pooled }, &request.spec)?;
    notes.extend(found.notes.iter().cloned());
    let n_rows = sums.iter().map(|sum| sum.n_rows).collect();
    Ok(FunnelTables { funnel: found, spec: request.spec.clone(), unit, codes, n_rows, notes })
}

impl Sums {
    /// Counts are added; means are combined with what lies between them (Chan, Golub & `LeVeque` 1983, Am. Stat. 37:242).
    fn add(&mut self, kind: Kind, value: f64, size: f64, sd: Option<f64>) {
        self.n_rows += 1;
        if kind != Kind::Mean {
            self.value += value;
            self.size += size;
            return;
        }
        let total = self.size + size;
        let gap = value - self.value;
        if self.size > 0.0 {
            self.within += gap * gap * self.size * size / total;
        }
        self.value += gap * size / total;
        self.size = total;
        self.within += sd.map_or(0.0, |sd| sd * sd * (size - 1.0));
        self.df = total - 1.0;
    }
}

impl FunnelTables {
    /// What the core found.
    pub fn funnel(&self) -> &Funnel {
        &self.funnel
    }

    /// Caveats.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// One row per unit, in the order of their names: it is no ranking.
    ///
    /// # Errors
    /// None in practice.
    pub fn units(&self) -> Result<DataFrame> {
        let rows = &self.funnel.units;
        let mut key = self.unit.gather(self.codes.iter().copied())?;
        key.rename(self.unit.name.as_str().into());
        let mut columns = vec![
            key,
            counts("n_rows", self.n_rows.iter().map(|n| Some(*n))),
            numbers("value", rows.iter().map(|row| Some(row.shown))),
            numbers("size", rows.iter().map(|row| Some(row.size))),
            numbers("z", rows.iter().map(|row| Some(row.z))),
            numbers("z_adjusted", rows.iter().map(|row| Some(row.z_adjusted))),
            numbers("p", rows.iter().map(|row| Some(row.p))),
            numbers("q_value", rows.iter().map(|row| Some(row.q_value))),
        ];
        for (place, level) in self.spec.levels.iter().enumerate() {
            let at = |get: fn(&(Bounds, bool)) -> f64| {
                rows.iter().map(move |row| row.bounds.get(place).map(get)).collect::<Vec<_>>()
            };
            let name = level_name(*level);
            columns.push(numbers(&format!("lo_{name}"), at(|(bounds, _)| bounds.lo).into_iter()));
            columns.push(numbers(&format!("hi_{name}"), at(|(bounds, _)| bounds.hi).into_iter()));
            let outside = rows.iter().map(|row| row.bounds.get(place).map(|(_, is_outside)| *is_outside));
            columns.push(flags(&format!("is_outside_{name}"), outside));
        }
        Ok(DataFrame::new(rows.len(), columns)?)
    }

    /// The limits over the range of sizes.
    ///
    /// # Errors
    /// None in practice.
    pub fn limits(&self) -> Result<DataFrame> {
        let rows = &self.funnel.curve;
        let mut columns = vec![numbers("size", rows.iter().map(|row| Some(row.size)))];
        for (place, level) in self.spec.levels.iter().enumerate() {
            let name = level_name(*level);
            columns.push(numbers(&format!("lo_{name}"), rows.iter().map(|row| row.bounds.get(place).map(|b| b.lo))));
            columns.push(numbers(&format!("hi_{name}"), rows.iter().map(|row| row.bounds.get(place).map(|b| b.hi))));
        }
        Ok(DataFrame::new(rows.len(), columns)?)
    }

    /// The names of the levels as they stand in columns.
    pub fn level_names(&self) -> Vec<String> {
        self.spec.levels.iter().map(|level| level_name(*level)).collect()
    }
}

/// .95 is `95`, .998 is `99_8`.
fn level_name(level: f64) -> String {
    // To a millionth of a percent: .998 is 99.8, not 99.80000000000001.
    format!("{}", (level * 1e8).round() / 1e6).replace('.', "_")
}
