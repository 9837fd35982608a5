//! Pooling over sites, frame to frame.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::build::{counts, numbers, texts};
use super::columns::{check_keys, floats};
use super::factors::{Codes, MISSING};
use super::groups::Groups;
use crate::stats::pooling::{Finding, Pool, PoolSpec, Summary, collapse, pool as core};
use crate::{Error, Note, NoteCode, Result};

/// What is asked of a pooling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolRequest {
    /// The column of effects.
    pub effect: String,
    /// The column of their sampling variances.
    pub variance: String,
    /// The columns of subgroups.
    #[serde(default)]
    pub by: Vec<String>,
    /// The column that names the sites; without it every row is a site of its own.
    #[serde(default)]
    pub site: Option<String>,
    /// The correlation of the sampling errors of rows of one site.
    #[serde(default)]
    pub correlation: f64,
    /// How effects are pooled.
    #[serde(default)]
    pub spec: PoolSpec,
}

/// What was pooled.
#[derive(Debug, Clone)]
pub struct PoolTables {
    /// The pooled effect; `None` for fewer than three sites.
    pub summary: Option<Summary>,
    /// What was found.
    pub finding: Finding,
    /// One row per site.
    pub sites: DataFrame,
    /// One row per subgroup; without columns where none were asked for.
    pub groups: DataFrame,
    /// Caveats.
    pub notes: Vec<Note>,
}

const RESERVED: &[&str] = &[
    "n_rows",
    "effect",
    "variance",
    "lo",
    "hi",
    "weight",
    "shrunken",
    "shrunken_se",
    "estimate_without",
    "se_without",
    "tau2_without",
    "n_sites",
    "estimate",
    "se",
    "tau2",
    "i2",
    "q",
    "prediction_lo",
    "prediction_hi",
    "finding",
];

/// The columns of effects, read.
struct Effects {
    y: Vec<f64>,
    v: Vec<f64>,
    site: Option<Codes>,
}

/// One pooling: the sites by code, with how many rows each has.
struct Pooled {
    pool: Pool,
    codes: Vec<u32>,
    n_rows: Vec<usize>,
    n_collapsed: usize,
}

/// Pool the effects of a frame: [`core`] on its sites, and on those of every subgroup.
///
/// Rows without an effect, a variance or a site are left out and counted. Several rows of one site become one.
///
/// # Errors
/// For columns that are missing or of the wrong type, variances that are not positive, and no row at all.
pub fn pool(df: &DataFrame, request: &PoolRequest) -> Result<PoolTables> {
    check_keys(df, "by", &request.by, RESERVED)?;
    if let Some(site) = &request.site {
        let others: Vec<&str> = RESERVED.iter().copied().chain(request.by.iter().map(String::as_str)).collect();
        check_keys(df, "site", std::slice::from_ref(site), &others)?;
    }
    let effects = Effects {
        y: floats(df, &request.effect)?,
        v: floats(df, &request.variance)?,
        site: request.site.as_ref().map(|site| Codes::new(df, site)).transpose()?,
    };
    let kept: Vec<usize> = (0..df.height()).filter(|&row| effects.is_whole(row)).collect();
    let mut notes = Vec::new();
    let n_left_out = df.height() - kept.len();
    if n_left_out > 0 {
        notes.push(Note::new(NoteCode::RowsLeftOut, n_left_out));
    }
    let whole = effects.pool(&kept, request)?;
    if whole.n_collapsed > 0 {
        notes.push(Note::new(NoteCode::CollapsedRows, whole.n_collapsed).with_value(request.correlation));
    }
    notes.extend(whole.pool.notes.iter().cloned());
    let groups = if request.by.is_empty() { DataFrame::empty() } else { effects.groups(df, request)? };
    if groups.height() > 0 {
        notes.push(Note::new(NoteCode::ExploratorySubgroups, groups.height()));
    }
    let sites = effects.sites(&whole)?;
    Ok(PoolTables { summary: whole.pool.summary, finding: whole.pool.finding, sites, groups, notes })
}

impl Effects {
    fn is_whole(&self, row: usize) -> bool {
        let is_number = |values: &[f64]| values.get(row).is_some_and(|value| value.is_finite());
        let has_site = self.site.as_ref().is_none_or(|site| site.of_row.get(row).is_some_and(|code| *code != MISSING));
        is_number(&self.y) && is_number(&self.v) && has_site
    }

    fn pool(&self, rows: &[usize], request: &PoolRequest) -> Result<Pooled> {
        let at = |values: &[f64], row: usize| values.get(row).copied().unwrap_or(f64::NAN);
        let y: Vec<f64> = rows.iter().map(|&row| at(&self.y, row)).collect();
        let v: Vec<f64> = rows.iter().map(|&row| at(&self.v, row)).collect();
        if let Some(value) = v.iter().find(|v| **v <= 0.0) {
            return Err(Error::InvalidValue {
                what: format!("column {:?}", request.variance),
                found: format!("a sampling variance of {value}"),
                remedy: "variances are positive: squares of standard errors; leave out rows without one".into(),
            });
        }
        let Some(site) = &self.site else {
            let codes = rows.iter().map(|&row| u32::try_from(row).unwrap_or(MISSING)).collect();
            return Ok(Pooled {
                pool: core(&y, &v, &request.spec)?,
                codes,
                n_rows: vec![1; rows.len()],
                n_collapsed: 0,
            });
        };
        let of_row: Vec<u32> = rows.iter().map(|&row| site.of_row.get(row).copied().unwrap_or(MISSING)).collect();
        let mut codes = of_row.clone();
        codes.sort_unstable();
        codes.dedup();
        let places: Vec<u32> = of_row
            .iter()
            .map(|code| codes.binary_search(code).ok().and_then(|place| u32::try_from(place).ok()).unwrap_or(MISSING))
            .collect();
        let made = collapse(&y, &v, &places, codes.len(), request.correlation)?;
        let n_collapsed = made.n_rows.iter().filter(|n| **n > 1).sum();
        let pool = core(&made.effect, &made.variance, &request.spec)?;
        Ok(Pooled { pool, codes, n_rows: made.n_rows, n_collapsed })
    }

    fn sites(&self, whole: &Pooled) -> Result<DataFrame> {
        let rows = &whole.pool.sites;
        let key = match &self.site {
            Some(site) => {
                let mut column = site.gather(whole.codes.iter().copied())?;
                column.rename(site.name.as_str().into());
                column
            }
            // The rows of the input, counted from 1.
            None => counts("row", whole.codes.iter().map(|code| Some(*code as usize + 1))),
        };
        let columns = vec![
            key,
            counts("n_rows", whole.n_rows.iter().map(|n| Some(*n))),
            numbers("effect", rows.iter().map(|row| Some(row.effect))),
            numbers("variance", rows.iter().map(|row| Some(row.variance))),
            numbers("lo", rows.iter().map(|row| Some(row.lo))),
            numbers("hi", rows.iter().map(|row| Some(row.hi))),
            numbers("weight", rows.iter().map(|row| row.weight)),
            numbers("shrunken", rows.iter().map(|row| row.shrunken)),
            numbers("shrunken_se", rows.iter().map(|row| row.shrunken_se)),
            numbers("estimate_without", rows.iter().map(|row| row.estimate_without)),
            numbers("se_without", rows.iter().map(|row| row.se_without)),
            numbers("tau2_without", rows.iter().map(|row| row.tau2_without)),
        ];
        Ok(DataFrame::new(rows.len(), columns)?)
    }

    fn groups(&self, df: &DataFrame, request: &PoolRequest) -> Result<DataFrame> {
        let (mut firsts, mut pools): (Vec<IdxSize>, Vec<Pool>) = (vec![], vec![]);
        for group in Groups::new(df, &request.by)?.iter() {
            let rows: Vec<usize> = group.iter().map(|&row| row as usize).filter(|&row| self.is_whole(row)).collect();
            if let (Some(&first), false) = (group.first(), rows.is_empty()) {
                firsts.push(first);
                pools.push(self.pool(&rows, request)?.pool);
            }
        }
        let mut columns = df.select(&request.by)?.take(&IdxCa::from_vec(PlSmallStr::EMPTY, firsts))?.into_columns();
        columns.push(counts("n_sites", pools.iter().map(|pool| Some(pool.sites.len()))));
        let mut number = |name: &str, get: fn(&Summary) -> Option<f64>| {
            columns.push(numbers(name, pools.iter().map(|pool| pool.summary.as_ref().and_then(get))));
        };
        number("estimate", |s| Some(s.estimate));
        number("se", |s| Some(s.se));
        number("lo", |s| Some(s.lo));
        number("hi", |s| Some(s.hi));
        number("tau2", |s| Some(s.tau2));
        number("i2", |s| Some(s.i2));
        number("q", |s| Some(s.q));
        number("prediction_lo", |s| s.prediction.map(|p| p.0));
        number("prediction_hi", |s| s.prediction.map(|p| p.1));
        columns.push(texts("finding", pools.iter().map(|pool| Some(pool.finding.as_str()))));
        Ok(DataFrame::new(pools.len(), columns)?)
    }
}
