//! Generalised linear mixed models.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::panic,
    clippy::unnecessary_wraps
)] // helpers of tests

mod lme4;
mod properties;
mod simulation;

use brightspot::mixed::{Covariate, Design, Family, GlmmData, GlmmFit, encode, fit_glmm};

use crate::lme4_files::data;
use crate::tables::{Table, numbers};

fn on(_: usize, _: usize) -> brightspot::Result<()> {
    Ok(())
}

fn fitted(data: &GlmmData) -> GlmmFit {
    fit_glmm(data, &on).unwrap()
}

/// A covariate with its own room.
#[derive(Debug)]
enum Column {
    Number(String, Vec<f64>),
    Category(String, Vec<u32>, Vec<String>),
}

/// Rows as a model takes them.
#[derive(Debug)]
struct Rows {
    family: Family,
    fixed: Vec<Column>,
    y: Vec<f64>,
    size: Option<Vec<f64>>,
    levels: Vec<Vec<u32>>,
    labels: Vec<Vec<String>>,
}

impl Rows {
    fn data(&self) -> brightspot::Result<GlmmData> {
        let covariates: Vec<Covariate> = self
            .fixed
            .iter()
            .map(|c| match c {
                Column::Number(name, values) => Covariate::Numeric { name, values },
                Column::Category(name, codes, levels) => Covariate::Categorical { name, codes, levels },
            })
            .collect();
        let design = Design::new(self.y.len(), &covariates)?;
        let levels: Vec<&[u32]> = self.levels.iter().map(Vec::as_slice).collect();
        GlmmData::new(&design, self.family, &self.y, self.size.as_deref(), &levels)
    }

    fn fit(&self) -> GlmmFit {
        fitted(&self.data().unwrap())
    }
}

/// Rows of one of our own data sets: outcome, size or exposure, covariates and factors from the outermost.
fn rows(table: &Table, family: Family, y: &str, size: Option<&str>, fixed: &[&str], factors: &[&str]) -> Rows {
    let column = |name: &&str| {
        let values = numbers(&table[*name]);
        if values.iter().all(|v| v.is_finite()) {
            return Column::Number((*name).to_owned(), values);
        }
        let (codes, levels) = encode(table[*name].iter().map(String::as_str));
        Column::Category((*name).to_owned(), codes, levels)
    };
    let (levels, labels) = factors.iter().map(|f| encode(table[*f].iter().map(String::as_str))).unzip();
    Rows {
        family,
        fixed: fixed.iter().map(column).collect(),
        y: numbers(&table[y]),
        size: size.map(|s| numbers(&table[s])),
        levels,
        labels,
    }
}

fn own(case: &str) -> Rows {
    let table = data(case);
    match case {
        "passed" => rows(&table, Family::Binomial, "passed", None, &["prior", "frl"], &["teacher"]),
        "present" => rows(&table, Family::Binomial, "present", Some("days"), &["prior"], &["school", "teacher"]),
        "referrals" => rows(&table, Family::Poisson, "referrals", Some("weeks"), &["level"], &["school"]),
        "late" => rows(&table, Family::Poisson, "late", None, &["x"], &["district", "school", "class"]),
        _ => rows(&table, Family::Binomial, "passed", None, &["x"], &["class"]),
    }
}
