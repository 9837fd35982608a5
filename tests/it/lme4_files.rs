//! What lme4 said of the data sets in `tests/data/glmer` (written by `golden.R` there).
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

use std::collections::BTreeMap;
use std::path::Path;

use crate::tables::{Table, table};

/// One of the data sets of the folder.
pub(crate) fn data(name: &str) -> Table {
    table(&folder().join(format!("{name}.csv")))
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/glmer")
}

/// What lme4 says of one case.
#[derive(Debug, Default)]
pub(crate) struct Golden {
    pub(crate) criterion: f64,
    pub(crate) theta: Vec<f64>,
    pub(crate) sigma: f64,
    /// Terms with estimate and standard error.
    pub(crate) fixed: Vec<(String, f64, f64)>,
    /// Standard errors from the joint information alone (`use.hessian = FALSE`).
    pub(crate) se_joint: Vec<f64>,
    /// By "factor term" and level: conditional mode and its standard deviation.
    pub(crate) effects: BTreeMap<(String, String), (f64, f64)>,
}

pub(crate) fn golden(case: &str) -> Golden {
    let all = data("lme4");
    let mut found = Golden::default();
    for i in (0..all["case"].len()).filter(|i| all["case"][*i] == case) {
        let [name, level, value, sd] = ["name", "level", "value", "sd"].map(|c| all[c][i].clone());
        let (value, sd): (f64, f64) = (value.parse().unwrap(), sd.parse().unwrap_or(f64::NAN));
        match all["kind"][i].as_str() {
            "criterion" => found.criterion = value,
            "theta" => found.theta.push(value),
            "sigma" => found.sigma = value,
            "fixed" => found.fixed.push((name, value, sd)),
            "fixed_rx" => found.se_joint.push(sd),
            _ => {
                found.effects.insert((name, level), (value, sd));
            }
        }
    }
    assert!(!found.fixed.is_empty(), "no case {case}");
    found
}
