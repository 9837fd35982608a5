//! Against lme4's `glmer`, and against print.
#![allow(clippy::panic, clippy::print_stdout)] // helpers of tests

use brightspot::mixed::{Family, GlmmFit};

use super::{Column, Rows, own};
use crate::lme4_files::{Golden, golden};
use crate::mixed::close;

/// Contagious bovine pleuropneumonia in 15 herds over 4 periods (Lesnoff, Laval, Bonnet et al. 2004, Preventive
/// Veterinary Medicine 62:101; the table `cbpp` of lme4): herd, period, new cases, animals.
const CBPP: [(u32, u32, u32, u32); 56] = [
    (1, 1, 2, 14),
    (1, 2, 3, 12),
    (1, 3, 4, 9),
    (1, 4, 0, 5),
    (2, 1, 3, 22),
    (2, 2, 1, 18),
    (2, 3, 1, 21),
    (3, 1, 8, 22),
    (3, 2, 2, 16),
    (3, 3, 0, 16),
    (3, 4, 2, 20),
    (4, 1, 2, 10),
    (4, 2, 0, 10),
    (4, 3, 2, 9),
    (4, 4, 0, 6),
    (5, 1, 5, 18),
    (5, 2, 0, 25),
    (5, 3, 0, 24),
    (5, 4, 1, 4),
    (6, 1, 3, 17),
    (6, 2, 0, 17),
    (6, 3, 0, 18),
    (6, 4, 1, 20),
    (7, 1, 8, 16),
    (7, 2, 1, 10),
    (7, 3, 3, 9),
    (7, 4, 0, 5),
    (8, 1, 12, 34),
    (9, 1, 2, 9),
    (9, 2, 0, 6),
    (9, 3, 0, 8),
    (9, 4, 0, 6),
    (10, 1, 1, 22),
    (10, 2, 1, 22),
    (10, 3, 0, 18),
    (10, 4, 2, 22),
    (11, 1, 0, 25),
    (11, 2, 5, 27),
    (11, 3, 3, 22),
    (11, 4, 1, 22),
    (12, 1, 2, 10),
    (12, 2, 1, 8),
    (12, 3, 0, 6),
    (12, 4, 0, 5),
    (13, 1, 1, 21),
    (13, 2, 2, 24),
    (13, 3, 0, 19),
    (13, 4, 0, 23),
    (14, 1, 11, 19),
    (14, 2, 0, 2),
    (14, 3, 0, 3),
    (14, 4, 0, 2),
    (15, 1, 1, 19),
    (15, 2, 1, 15),
    (15, 3, 1, 15),
    (15, 4, 0, 15),
];

pub(super) fn cbpp() -> Rows {
    let names = |n: u32| (1..=n).map(|i| i.to_string()).collect::<Vec<_>>();
    Rows {
        family: Family::Binomial,
        fixed: vec![Column::Category("period".into(), CBPP.iter().map(|r| r.1 - 1).collect(), names(4))],
        y: CBPP.iter().map(|r| f64::from(r.2)).collect(),
        size: Some(CBPP.iter().map(|r| f64::from(r.3)).collect()),
        levels: vec![CBPP.iter().map(|r| r.0 - 1).collect()],
        labels: vec![names(15)],
    }
}

/// lme4's printed summary (its documentation of `glmer`, and Bates, Maechler, Bolker & Walker's help page of `cbpp`).
#[test]
fn the_printed_example_is_reproduced() {
    let fit = cbpp().fit();
    close(fit.criterion, 184.05, 5e-3, "deviance");
    close(fit.criterion + 2.0 * 5.0, 194.1, 5e-2, "AIC");
    close(fit.criterion + 5.0 * 56.0_f64.ln(), 204.2, 5e-2, "BIC");
    // Printed standard deviation and estimates depend on where that version's optimiser stopped: 5 in the fourth digit.
    close(fit.theta[0], 0.6421, 5e-4, "sd of herds");
    let printed = [(-1.3983, 0.2312), (-0.9919, 0.3032), (-1.1282, 0.3228), (-1.5797, 0.4220)];
    for (k, (estimate, se)) in printed.into_iter().enumerate() {
        close(fit.beta[k], estimate, 1e-3, "estimate");
        // Its standard errors come from one-sided differences with a coarse step: to 2%.
        close(fit.se[k], se, 0.02 * se, "standard error");
    }
    assert!(fit.has_converged && !fit.is_singular);
}

#[test]
fn everything_is_lme4s() {
    // lme4's factor and its labels, outermost first as ours.
    let factors: [(&str, &[&str], &[usize]); 6] = [
        ("passed", &["teacher"], &[0]),
        ("present", &["school", "teacher:school"], &[1, 0]),
        ("referrals", &["school"], &[0]),
        ("late", &["district", "school:district", "class:(school:district)"], &[2, 1, 0]),
        ("alike", &["class"], &[0]),
        ("cbpp", &["herd"], &[0]),
    ];
    for (case, names, order) in factors {
        let rows = if case == "cbpp" { cbpp() } else { own(case) };
        let expected = golden(case);
        let data = rows.data().unwrap();
        let theta: Vec<f64> = order.iter().map(|&i| expected.theta[i]).collect();
        let beta: Vec<f64> = expected.fixed.iter().map(|f| f.1).collect();

        // At lme4's parameters: the same number, to what its own inner iterations leave.
        let there = GlmmFit::at(&data, &theta, &beta).unwrap();
        close(there.criterion, expected.criterion, 1e-9 * expected.criterion, case);
        for (k, se) in expected.se_joint.iter().enumerate() {
            close(there.se[k], *se, 1e-5 * se, &format!("{case}: se {k} for known variances"));
        }
        let n_effects = effects_agree(case, &there, &rows, &expected, names);
        assert_eq!(n_effects, expected.effects.len(), "{case}");

        // After the search.
        let fit = super::fitted(&data);
        println!(
            "{case}: {:.9} against {:.9}, {} evaluations, theta {:?} against {theta:?}",
            fit.criterion, expected.criterion, fit.n_evaluations, fit.theta
        );
        assert!(fit.has_converged, "{case}");
        assert!(fit.criterion <= expected.criterion + 1e-7, "{case}: {} > {}", fit.criterion, expected.criterion);
        close(fit.criterion, expected.criterion, 1e-6, case);
        for (own, theirs) in fit.theta.iter().zip(&theta) {
            close(*own, *theirs, 1e-5, &format!("{case} theta"));
        }
        for (k, (term, estimate, se)) in expected.fixed.iter().enumerate() {
            assert_eq!(&fit.terms[k], term);
            close(fit.beta[k], *estimate, 1e-5 * (1.0 + estimate.abs()), &format!("{case} {term}"));
            // lme4 differences the deviance twice, with a step of 1e-4: three digits are its own. At a variance of zero
            // its second derivative by theta is that of another function.
            close(fit.se[k], *se, 5e-3 * se, &format!("{case} se of {term}"));
        }
        assert_eq!(fit.is_singular, case == "alike");
    }
}

fn effects_agree(case: &str, fit: &GlmmFit, rows: &Rows, expected: &Golden, names: &[&str]) -> usize {
    let mut n = 0;
    for (level, name) in names.iter().enumerate() {
        for effect in fit.effects(level).unwrap() {
            let labels: Vec<&str> =
                effect.path.iter().zip(&rows.labels).map(|(&c, l)| l[c as usize].as_str()).collect();
            // lme4 names a nested level from the inside out.
            let label = labels.iter().rev().copied().collect::<Vec<_>>().join(":");
            let nested =
                if labels.len() == 3 { format!("{}:({}:{})", labels[2], labels[1], labels[0]) } else { label.clone() };
            let of = |label: &String| expected.effects.get(&(format!("{name} (Intercept)"), label.clone()));
            let (mode, sd) = of(&label).or_else(|| of(&nested)).unwrap_or_else(|| panic!("{case} {name} {label}"));
            close(effect.effect, *mode, 1e-6, &format!("{case} {name} {label}"));
            close(effect.sd_conditional, *sd, 1e-6, &format!("{case} sd of {name} {label}"));
            n += 1;
        }
    }
    n
}
