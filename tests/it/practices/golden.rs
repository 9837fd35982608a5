//! Estimates and errors against dense algebra, against lme4, and against textbook degrees of freedom.

use brightspot::bright::{BrightSpec, PracticeFinding, PracticeSpec, PracticeUse, practices};
use brightspot::mixed::{Covariate, Design, Fit, GroupedMoments, Method, Moments, fit};
use faer::prelude::Solve;
use faer::{Mat, Side};
use rand::RngExt;

use super::{PLAN, Plan, by_chance, district, row, seeded};
use crate::mixed::close;
use crate::tables::{reference, table};

/// beta and its errors by generalised least squares with dense matrices: rows, a covariate of the unit, given theta.
fn dense(x: &Mat<f64>, y: &[f64], groups: &[Vec<u64>], theta: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (n, p) = (y.len(), x.ncols());
    let v = Mat::from_fn(n, n, |i, j| {
        let shared: f64 = groups.iter().zip(theta).map(|(g, t)| if g[i] == g[j] { t * t } else { 0.0 }).sum();
        shared + f64::from(u8::from(i == j))
    });
    let v = v.llt(Side::Lower).unwrap();
    let y = Mat::from_fn(n, 1, |i, _| y[i]);
    let xvx = (x.transpose() * v.solve(x)).llt(Side::Lower).unwrap();
    let beta = xvx.solve(&(x.transpose() * v.solve(&y)));
    let r = &y - x * &beta;
    let sigma2 = (r.transpose() * v.solve(&r))[(0, 0)] / (n - p) as f64;
    let inverse = xvx.solve(Mat::<f64>::identity(p, p));
    ((0..p).map(|k| beta[(k, 0)]).collect(), (0..p).map(|k| (sigma2 * inverse[(k, k)]).sqrt()).collect())
}

#[test]
fn an_association_is_that_of_dense_least_squares_and_of_the_mixed_model() {
    let plan = Plan { schools: 6, teachers: 4, students: 5, years: 2, ..PLAN };
    let rng = &mut seeded(3);
    let n_units = plan.schools * plan.teachers;
    let mut practice = by_chance(rng, "p", n_units, 0.5);
    for dose in practice.dose.iter_mut().flatten() {
        *dose *= 0.2 + 0.8 * rng.random::<f64>();
    }
    // Nobody knows about the fourth and the last teacher: they are left out.
    practice.dose[3] = None;
    practice.dose[n_units - 1] = None;
    let d = district(rng, &plan, &[]);
    let (spots, moments) = d.search(&BrightSpec::default());
    let found = practices(&spots, &moments, std::slice::from_ref(&practice), &PracticeSpec::default()).unwrap();
    let found = row(&found, "p");
    assert_eq!((found.n_users + found.n_others, found.n_unknown), (n_units - 2, 2));

    // The same through the public model, with the rows of these two left out.
    let kept: Vec<usize> = (0..d.outcome.len()).filter(|&i| practice.dose[d.teacher[i] as usize].is_some()).collect();
    let pick = |v: &[f64]| -> Vec<f64> { kept.iter().map(|&i| v[i]).collect() };
    let code = |v: &[u32]| -> Vec<u32> { kept.iter().map(|&i| v[i]).collect() };
    let (y, prior) = (pick(&d.outcome), pick(&d.prior));
    let (teacher, school, year) = (code(&d.teacher), code(&d.school), code(&d.year));
    let used: Vec<f64> = teacher.iter().map(|&t| practice.dose[t as usize].unwrap()).collect();
    let years = ["Y000".to_owned(), "Y001".to_owned()];
    let design = Design::new(
        y.len(),
        &[
            Covariate::Numeric { name: "prior", values: &prior },
            Covariate::Categorical { name: "year", codes: &year, levels: &years },
            Covariate::Numeric { name: "use", values: &used },
        ],
    )
    .unwrap();
    let whole = Moments::new(&design, &y, &[&school, &teacher, &year]).unwrap();
    let fitted = fit(&whole, Method::Reml).unwrap();
    let term = fitted.terms.iter().position(|t| t == "use").unwrap();
    close(found.estimate.unwrap(), fitted.beta[term], 1e-8, "estimate");
    close(found.se.unwrap(), fitted.se[term], 1e-8, "se");

    let x = Mat::from_fn(y.len(), 4, |i, k| [1.0, prior[i], f64::from(year[i]), used[i]][k]);
    let groups = vec![
        school.iter().map(|s| u64::from(*s)).collect(),
        teacher.iter().map(|t| u64::from(*t)).collect(),
        teacher.iter().zip(&year).map(|(t, y)| u64::from(*t) * 10 + u64::from(*y)).collect(),
    ];
    let (beta, se) = dense(&x, &y, &groups, &fitted.theta);
    close(found.estimate.unwrap(), beta[3], 1e-8, "estimate");
    close(found.se.unwrap(), se[3], 1e-8, "se");

    // Without a period: the same algebra at the same variances on the rows of the other.
    let rows: Vec<usize> = (0..y.len()).filter(|&i| year[i] == 1).collect();
    let x = Mat::from_fn(rows.len(), 3, |i, k| [1.0, prior[rows[i]], used[rows[i]]][k]);
    let groups: Vec<Vec<u64>> = groups.iter().map(|g| rows.iter().map(|&i| g[i]).collect()).collect();
    let (beta, _) = dense(&x, &rows.iter().map(|&i| y[i]).collect::<Vec<_>>(), &groups, &fitted.theta);
    close(found.periods[0].without.unwrap(), beta[2], 1e-8, "without the first year");
    assert_eq!(found.periods[1].estimate, found.periods[0].without);
}

#[test]
fn a_covariate_of_schools_is_that_of_lme4() {
    let Some(folder) = reference() else { return };
    // normexam ~ standLRT + schgend + schavg + sex + vr + (1 | school): what is constant within a school is given as
    // what the school does.
    let rows = table(&folder.join("data/Exam.csv"));
    let number = |name: &str| -> Vec<f64> { rows[name].iter().map(|v| v.parse().unwrap()).collect() };
    let is =
        |name: &str, level: &str| -> Vec<f64> { rows[name].iter().map(|v| f64::from(u8::from(v == level))).collect() };
    let fixed = table(&folder.join("exam_cov.fixef.csv"));
    let theta =
        serde_json::from_str::<serde_json::Value>(&std::fs::read_to_string(folder.join("exam_cov.json")).unwrap())
            .unwrap()["theta"]
            .as_f64()
            .unwrap();
    let own: Vec<(&str, Vec<f64>)> = fixed["name"]
        .iter()
        .filter(|name| *name == "standLRT" || name.starts_with("sex") || name.starts_with("vr"))
        .map(|name| {
            let level = |column: &str| is(column, name.strip_prefix(column).unwrap());
            let values = if name.starts_with("sex") {
                level("sex")
            } else if name.starts_with("vr") {
                level("vr")
            } else {
                number("standLRT")
            };
            (name.as_str(), values)
        })
        .collect();
    let covariates: Vec<Covariate> = own.iter().map(|(name, values)| Covariate::Numeric { name, values }).collect();
    let y = number("normexam");
    let (school, names) = brightspot::mixed::encode(rows["school"].iter().map(String::as_str));
    let grouped = GroupedMoments::new(&Design::new(y.len(), &covariates).unwrap(), &y, &[&school]).unwrap();
    let of_school: Vec<(&str, Vec<f64>)> = fixed["name"]
        .iter()
        .filter(|name| name.starts_with("sch"))
        .map(|name| {
            let values = match name.strip_prefix("schgend") {
                Some(level) => is("schgend", level),
                None => number("schavg"),
            };
            let by_group =
                grouped.paths().map(|path| values[school.iter().position(|s| *s == path[0]).unwrap()]).collect();
            (name.as_str(), by_group)
        })
        .collect();
    assert_eq!(of_school.len(), 3);
    let columns: Vec<(&str, &[f64])> = of_school.iter().map(|(name, values)| (*name, values.as_slice())).collect();
    let moments = grouped.moments(1, &vec![true; names.len()], &columns).unwrap();
    let at = Fit::at(&moments, &[theta], Method::Reml).unwrap();
    for (k, term) in at.terms.iter().enumerate() {
        let place = fixed["name"].iter().position(|name| name == term).unwrap();
        let expect = |column: &str| fixed[column][place].parse::<f64>().unwrap();
        close(at.beta[k], expect("estimate"), 1e-9, term);
        close(at.se[k], expect("se"), 1e-9, term);
    }
}

/// Balanced data: what varies between J groups has J - 2 degrees of freedom, and what varies within them one for every
/// unit less those that the groups and the covariate take (the split-plot analysis of variance).
#[test]
fn degrees_of_freedom_of_balanced_designs_are_those_of_the_analysis_of_variance() {
    let plan = Plan { schools: 8, teachers: 4, students: 10, years: 1, school_sd: 0.8, teacher_sd: 0.5, ..PLAN };
    let d = district(&mut seeded(11), &plan, &[]);
    let design = Design::new(d.outcome.len(), &[]).unwrap();
    let grouped = GroupedMoments::new(&design, &d.outcome, &[&d.school, &d.teacher]).unwrap();
    let n_units = plan.schools * plan.teachers;
    for (expected, used) in [
        (plan.schools - 2, (0..n_units).map(|u| u / plan.teachers % 2).collect::<Vec<_>>()),
        (n_units - plan.schools - 1, (0..n_units).map(|u| u % 2).collect()),
    ] {
        let values: Vec<f64> = used.iter().map(|u| *u as f64).collect();
        let moments = grouped.moments(2, &vec![true; n_units], &[("use", &values)]).unwrap();
        let fitted = fit(&moments, Method::Reml).unwrap();
        assert!(fitted.theta.iter().all(|t| *t > 0.1), "an inner optimum");
        let df = fitted.freedom(&moments, 1).unwrap().unwrap();
        // Differences of gradients in steps of 1e-3 keep six digits.
        close(df, expected as f64, 1e-4 * expected as f64, "df");
    }
}

#[test]
fn groups_come_apart_and_together_again() {
    let d = district(&mut seeded(5), &Plan { schools: 3, teachers: 3, students: 4, years: 2, ..PLAN }, &[]);
    let covariates = [Covariate::Numeric { name: "prior", values: &d.prior }];
    let design = Design::new(d.outcome.len(), &covariates).unwrap();
    let levels: [&[u32]; 3] = [&d.school, &d.teacher, &d.year];
    let grouped = GroupedMoments::new(&design, &d.outcome, &levels).unwrap();
    let theta = [0.4, 0.3, 0.2];
    // All groups, and the innermost factor left out.
    for depth in [3, 2] {
        let whole = Moments::new(&design, &d.outcome, &levels[..depth]).unwrap();
        let again = grouped.moments(depth, &vec![true; grouped.n_groups()], &[]).unwrap();
        let (a, b) = (
            Fit::at(&whole, &theta[..depth], Method::Reml).unwrap(),
            Fit::at(&again, &theta[..depth], Method::Reml).unwrap(),
        );
        close(a.criterion, b.criterion, 1e-9, "criterion");
        close(a.beta[1], b.beta[1], 1e-12, "slope");
        assert_eq!(a.effects(1).unwrap()[4].path, b.effects(1).unwrap()[4].path);
    }
    assert_eq!(grouped.moments(4, &[], &[]).unwrap_err().code(), "invalid_option");
    assert_eq!(grouped.moments(1, &[true], &[]).unwrap_err().code(), "invalid_value");
    let kept = vec![true; grouped.n_groups()];
    let holed = vec![f64::NAN; grouped.n_groups()];
    assert_eq!(grouped.moments(1, &kept, &[("x", &holed)]).unwrap_err().code(), "invalid_value");
    assert_eq!(grouped.moments(1, &vec![false; kept.len()], &[]).unwrap_err().code(), "too_few");
}

#[test]
fn what_all_of_a_school_do_rests_on_schools() {
    // Forty schools, half of which use it throughout: 38 degrees of freedom at the very most, although 200 teachers do.
    let plan = Plan { schools: 40, school_sd: 0.0, ..PLAN };
    let n = plan.schools * plan.teachers;
    let practice =
        PracticeUse { name: "p".into(), dose: (0..n).map(|u| Some((u / plan.teachers % 2) as f64)).collect() };
    let found = district(&mut seeded(2), &plan, &[]).practices(&[practice]);
    assert!(found.rows[0].df.unwrap() <= 38.0);
    assert_eq!((found.rows[0].n_groups, found.rows[0].n_groups_both), (20, 0));
    assert_ne!(found.rows[0].finding, PracticeFinding::Insufficient);
}
