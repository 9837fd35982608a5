//! Mixed models against lme4 1.1-31, where the reference folder is present.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    clippy::float_cmp,
    clippy::type_complexity,
    clippy::unchecked_time_subtraction,
    clippy::excessive_precision
)] // helpers of tests

use std::collections::{BTreeMap, BTreeSet};

use brightspot::mixed::{Covariate, Design, Fit, Members, Method, Moments, Random, encode, fit};

use super::close;
use crate::tables::{numbers, reference, table};

/// A case: its name, outcome, fixed covariates, and factors from the outermost with lme4's name for each.
type Case = (&'static str, &'static str, &'static [&'static str], &'static [(&'static str, &'static str)], Method);

const CASES: [Case; 10] = [
    ("dyestuff", "Yield", &[], &[("Batch", "Batch")], Method::Reml),
    ("dyestuff2_singular", "Yield", &[], &[("Batch", "Batch")], Method::Reml),
    ("exam_single", "normexam", &["standLRT"], &[("school", "school")], Method::Reml),
    ("exam_single_ml", "normexam", &["standLRT"], &[("school", "school")], Method::Ml),
    ("exam_cov", "normexam", &["standLRT", "schgend", "schavg", "sex", "vr"], &[("school", "school")], Method::Reml),
    ("hsb82", "mAch", &["ses", "meanses", "sector", "minrty"], &[("school", "school")], Method::Reml),
    ("chem97_single", "score", &["gcsecnt", "gender", "age"], &[("school", "school")], Method::Reml),
    ("pastes_nested", "strength", &[], &[("batch", "batch"), ("cask", "cask:batch")], Method::Reml),
    ("star_single", "mathk", &["stark", "gender", "lunchk"], &[("schoolidk", "schoolidk")], Method::Reml),
    (
        "star_g2_teacher_in_school",
        "math",
        &["math_prior", "read_prior", "cltype", "sx", "ses"],
        &[("sch", "sch"), ("tch", "tch")],
        Method::Reml,
    ),
];

#[test]
fn lme4_is_reproduced() {
    let Some(folder) = reference() else { return };
    let mut n_run = 0;
    for case in CASES {
        n_run += usize::from(golden(&folder, case));
    }
    assert!(n_run >= 6, "only {n_run} cases have their data as CSV");
}

/// Crossed factors in the order of theta, as lme4 lists them.
const CROSSED: [(&str, &str, &[&str], &[&str]); 2] = [
    ("penicillin_crossed", "diameter", &[], &["plate", "sample"]),
    ("insteval_crossed", "y", &["service"], &["s", "d"]),
];

#[test]
fn lme4_is_reproduced_where_factors_cross() {
    let Some(folder) = reference() else { return };
    for (case, outcome, covariates, factors) in CROSSED {
        let scalars: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(folder.join(format!("{case}.json"))).unwrap()).unwrap();
        let data = folder.join(scalars["data"].as_str().unwrap());
        if !data.exists() {
            println!("skipped: {case}: its data are not there as CSV");
            continue;
        }
        let columns = table(&data);
        let coded: Vec<(Vec<u32>, Vec<String>)> =
            factors.iter().map(|f| encode(columns[*f].iter().map(String::as_str))).collect();
        let codes: Vec<[&[u32]; 1]> = coded.iter().map(|(codes, _)| [codes.as_slice()]).collect();
        let random: Vec<Random> = codes.iter().map(|c| Random::Nested(c)).collect();
        let values: Vec<Vec<f64>> = covariates.iter().map(|c| numbers(&columns[*c])).collect();
        let inputs: Vec<Covariate> =
            covariates.iter().zip(&values).map(|(name, values)| Covariate::Numeric { name, values }).collect();
        let y = numbers(&columns[outcome]);
        let moments = Moments::of_model(&Design::new(y.len(), &inputs).unwrap(), &y, &random, None).unwrap();
        let theta: Vec<f64> = scalars["theta"].as_array().unwrap().iter().map(|t| t.as_f64().unwrap()).collect();
        let names = factors.iter().zip(&coded).map(|(f, (_, labels))| (*f, labels.as_slice())).collect::<Vec<_>>();
        compare(&folder, case, &scalars, &moments, &theta, &names);
    }
}

#[test]
fn multiple_membership_is_that_of_a_replaced_z() {
    let Some(folder) = reference() else { return };
    let scalars: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("multimember.json")).unwrap()).unwrap();
    let columns = table(&folder.join("data/multimember.csv"));
    let both = columns["teacher1"].iter().chain(&columns["teacher2"]).map(String::as_str);
    let (codes, labels) = encode(both);
    let (first, second) = codes.split_at(codes.len() / 2);
    let (y, x) = (numbers(&columns["y"]), numbers(&columns["x"]));
    let (w1, w2) = (numbers(&columns["w1"]), numbers(&columns["w2"]));
    let members = Members { codes: &[first, second], weights: &[&w1, &w2], normalize: false };
    let design = Design::new(y.len(), &[Covariate::Numeric { name: "x", values: &x }]).unwrap();
    let moments = Moments::of_model(&design, &y, &[Random::Members(members)], None).unwrap();
    compare(&folder, "multimember", &scalars, &moments, &[scalars["theta"].as_f64().unwrap()], &[("teacher", &labels)]);
}

/// At lme4's theta to rounding; after our own search never above its criterion.
fn compare(
    folder: &std::path::Path,
    case: &str,
    scalars: &serde_json::Value,
    moments: &Moments,
    theta: &[f64],
    factors: &[(&str, &[String])],
) {
    let (criterion, sigma) = (scalars["criterion"].as_f64().unwrap(), scalars["sigma"].as_f64().unwrap());
    let at = Fit::at(moments, theta, Method::Reml).unwrap();
    // The file has 15 digits, and both programs add up some 10^4 rounded logarithms.
    close(at.criterion, criterion, 1e-9_f64.max(2e-14 * criterion.abs()), case);
    close(at.sigma, sigma, 1e-10 * sigma, case);
    let start = std::time::Instant::now();
    let found = fit(moments, Method::Reml).unwrap();
    println!(
        "{case}: {} evaluations in {:?}, criterion {:+.1e} from lme4's",
        found.n_evaluations,
        start.elapsed(),
        found.criterion - criterion
    );
    assert!(found.has_converged, "{case}");
    assert!(found.criterion <= criterion + 1e-7, "{case}: {} above {criterion}", found.criterion);
    close(found.criterion, criterion, 1e-6, case);
    for (a, b) in found.theta.iter().zip(theta) {
        close(*a, *b, 2e-5, case);
    }
    let fixed = table(&folder.join(format!("{case}.fixef.csv")));
    for (k, (estimate, se)) in numbers(&fixed["estimate"]).into_iter().zip(numbers(&fixed["se"])).enumerate() {
        close(at.beta[k], estimate, 1e-9 * (1.0 + estimate.abs()), case);
        close(at.se[k], se, 1e-9 * (1.0 + se.abs()), case);
    }
    let random = table(&folder.join(format!("{case}.ranef.csv")));
    let (effects, conditional) = (numbers(&random["blup"]), numbers(&random["cond_sd"]));
    let prediction = random.get("pev_sd").map(|c| numbers(c));
    for (level, (name, labels)) in factors.iter().enumerate() {
        let (sharp, own) = (at.effects(level).unwrap(), found.effects(level).unwrap());
        let lines: Vec<usize> = (0..effects.len()).filter(|&i| random["term"][i] == *name).collect();
        assert_eq!(lines.len(), sharp.len(), "{case} {name}");
        for i in lines {
            let code = labels.iter().position(|l| *l == random["level"][i]).unwrap() as u32;
            let unit = sharp.binary_search_by_key(&code, |e| e.path[0]).unwrap();
            close(sharp[unit].effect, effects[i], 1e-9 * sigma, "BLUP");
            close(sharp[unit].sd_conditional, conditional[i], 1e-9 * sigma, "conditional deviation");
            close(own[unit].effect, effects[i], 2e-4 * sigma, "BLUP");
            close(own[unit].sd_conditional, conditional[i], 2e-4 * sigma, "conditional deviation");
            if let Some(prediction) = &prediction {
                close(sharp[unit].sd, prediction[i], 1e-9 * sigma, "prediction error");
            }
        }
    }
}

fn golden(folder: &std::path::Path, (case, outcome, covariates, factors, method): Case) -> bool {
    let scalars: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join(format!("{case}.json"))).unwrap()).unwrap();
    let data = folder.join(scalars["data"].as_str().unwrap());
    if !data.exists() {
        println!("skipped: {case}: its data are not there as CSV");
        return false;
    }
    let mut columns = table(&data);
    let used: Vec<&str> =
        [outcome].into_iter().chain(covariates.iter().copied()).chain(factors.iter().map(|f| f.0)).collect();
    let rows: Vec<usize> = (0..columns[outcome].len())
        .filter(|&i| used.iter().all(|c| !matches!(columns[*c][i].as_str(), "" | "NA")))
        .collect();
    for column in columns.values_mut() {
        *column = rows.iter().map(|&i| column[i].clone()).collect();
    }
    let fixed = table(&folder.join(format!("{case}.fixef.csv")));
    let names: Vec<&str> = fixed["name"].iter().map(|n| n.trim_matches('`')).collect();
    // A text column's reference is the level that no term is named after (R's factors keep an order of their own).
    let coded: Vec<(Vec<f64>, Vec<u32>, Vec<String>)> = covariates
        .iter()
        .map(|&c| {
            if columns[c].iter().all(|v| v.parse::<f64>().is_ok()) {
                return (numbers(&columns[c]), vec![], vec![]);
            }
            let mut levels: Vec<String> = columns[c].iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
            levels.sort_by_key(|l| names.iter().position(|n| *n == format!("{c}{l}")).map_or(0, |k| k + 1));
            let codes = columns[c].iter().map(|v| levels.iter().position(|l| l == v).unwrap() as u32).collect();
            (vec![], codes, levels)
        })
        .collect();
    let inputs: Vec<Covariate> = covariates
        .iter()
        .zip(&coded)
        .map(|(name, (values, codes, levels))| {
            if levels.is_empty() {
                Covariate::Numeric { name, values }
            } else {
                Covariate::Categorical { name, codes, levels }
            }
        })
        .collect();
    let encoded: Vec<(Vec<u32>, Vec<String>)> =
        factors.iter().map(|f| encode(columns[f.0].iter().map(String::as_str))).collect();
    let levels: Vec<&[u32]> = encoded.iter().map(|(codes, _)| codes.as_slice()).collect();
    let design = Design::new(rows.len(), &inputs).unwrap();
    let moments = Moments::new(&design, &numbers(&columns[outcome]), &levels).unwrap();

    // lme4 lists factors by their number of levels, the innermost first.
    let theta: Vec<f64> = match &scalars["theta"] {
        serde_json::Value::Array(list) => list.iter().rev().map(|t| t.as_f64().unwrap()).collect(),
        one => vec![one.as_f64().unwrap()],
    };
    let (criterion, sigma) = (scalars["criterion"].as_f64().unwrap(), scalars["sigma"].as_f64().unwrap());
    let at = Fit::at(&moments, &theta, method).unwrap();
    assert_eq!(at.n_obs, scalars["nobs"].as_u64().unwrap() as usize, "{case}");
    assert_eq!(at.terms, names, "{case}");
    // The file has 15 digits, and both programs add up some 10^4 rounded logarithms.
    close(at.criterion, criterion, 1e-9_f64.max(1e-13 * criterion.abs()), case);
    close(at.sigma, sigma, 1e-10 * sigma, case);
    let (estimates, errors) = (numbers(&fixed["estimate"]), numbers(&fixed["se"]));
    for k in 0..names.len() {
        close(at.beta[k], estimates[k], 1e-9 * (1.0 + estimates[k].abs()), names[k]);
        close(at.se[k], errors[k], 1e-9 * (1.0 + errors[k].abs()), names[k]);
    }

    let found = fit(&moments, method).unwrap();
    assert!(found.has_converged, "{case}");
    assert!(found.criterion <= criterion + 1e-7, "{case}: {} above {criterion}", found.criterion);
    close(found.criterion, criterion, 1e-6, case);
    close(found.sigma, sigma, 1e-6 * sigma, case);
    assert_eq!(found.is_singular, scalars["singular"].as_bool().unwrap(), "{case}");
    for (a, b) in found.theta.iter().zip(&theta) {
        close(*a, *b, 1e-5, case);
    }
    for k in 0..names.len() {
        close(found.beta[k], estimates[k], 1e-6 * (1.0 + estimates[k].abs()), names[k]);
        close(found.se[k], errors[k], 1e-6 * (1.0 + errors[k].abs()), names[k]);
    }

    let random = table(&folder.join(format!("{case}.ranef.csv")));
    let (effects, conditional) = (numbers(&random["blup"]), numbers(&random["cond_sd"]));
    let prediction = random.get("pev_sd").map(|c| numbers(c));
    for (level, (_, name)) in factors.iter().enumerate() {
        let label = |path: &[u32]| {
            let mut parts: Vec<&str> = path.iter().zip(&encoded).map(|(c, (_, l))| l[*c as usize].as_str()).collect();
            parts.reverse();
            if name.contains(':') { parts.join(":") } else { parts[0].to_owned() }
        };
        let sharp: BTreeMap<String, _> = at.effects(level).unwrap().into_iter().map(|e| (label(&e.path), e)).collect();
        let own: BTreeMap<String, _> = found.effects(level).unwrap().into_iter().map(|e| (label(&e.path), e)).collect();
        let lines: Vec<usize> = (0..effects.len()).filter(|&i| random["term"][i] == *name).collect();
        assert_eq!(lines.len(), sharp.len(), "{case} {name}");
        for i in lines {
            let (sharp, own) = (&sharp[&random["level"][i]], &own[&random["level"][i]]);
            close(sharp.effect, effects[i], 1e-9 * sigma, "BLUP");
            close(sharp.sd_conditional, conditional[i], 1e-9 * sigma, "conditional deviation");
            close(own.effect, effects[i], 2e-4 * sigma, "BLUP");
            close(own.sd_conditional, conditional[i], 2e-4 * sigma, "conditional deviation");
            if let Some(prediction) = &prediction {
                close(sharp.sd, prediction[i], 1e-9 * sigma, "prediction error");
            }
        }
    }
    println!("{case}: {} evaluations, criterion {:+.1e} from lme4's", found.n_evaluations, found.criterion - criterion);
    true
}
