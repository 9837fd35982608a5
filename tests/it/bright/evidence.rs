//! What refines a finding: periods, peers under like conditions, guards, and checks on the set as a whole.

use brightspot::bright::{BrightInput, BrightSpec, Factor, Finding, Guard, GuardFinding, bright_spots};
use brightspot::mixed::{Covariate, Design, Fit, Method, Moments};
use brightspot::stats::normal::prob_exceeds;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{District, PLAN, Plan, district, given, labels, normal};

#[test]
fn leaving_a_year_out_is_the_model_without_its_rows() {
    // Four years, so that a teacher without one still has several; unequal years within schools.
    let plan = Plan { schools: 8, teachers: 4, students: 9, years: 4, ..PLAN };
    let mut d = district(21, &plan, |rng| 0.3 * normal(rng));
    let keep: Vec<bool> =
        (0..d.outcome.len()).map(|i| i % 11 != 0 && !(d.teacher[i] % 7 == 3 && d.year[i] == 2)).collect();
    let mut k = keep.iter();
    d.outcome.retain(|_| *k.next().unwrap());
    for codes in [&mut d.teacher, &mut d.school, &mut d.year] {
        let mut k = keep.iter();
        codes.retain(|_| *k.next().unwrap());
    }
    let mut k = keep.iter();
    d.prior.retain(|_| *k.next().unwrap());
    let spots = d.spots(&given(0.1));
    // The same from the rows, at the fitted variances; coefficients are estimated anew, which moves little.
    let years = labels(4, "Y");
    let mut smallest = vec![1.0_f64; spots.units.len()];
    for left_out in 0..4 {
        let rows: Vec<usize> = (0..d.outcome.len()).filter(|&i| d.year[i] != left_out).collect();
        let pick = |codes: &[u32]| rows.iter().map(|&i| codes[i]).collect::<Vec<u32>>();
        let (school, teacher, year) = (pick(&d.school), pick(&d.teacher), pick(&d.year));
        let prior: Vec<f64> = rows.iter().map(|&i| d.prior[i]).collect();
        let y: Vec<f64> = rows.iter().map(|&i| d.outcome[i]).collect();
        let covariates = [
            Covariate::Numeric { name: "prior", values: &prior },
            Covariate::Categorical { name: "year", codes: &year, levels: &years },
        ];
        let design = Design::new(rows.len(), &covariates).unwrap();
        let moments = Moments::new(&design, &y, &[&school, &teacher, &year]).unwrap();
        let theta: Vec<f64> = spots.model.variances.iter().map(|v| v.sqrt() / spots.model.sigma).collect();
        let fit = Fit::at(&moments, &theta, Method::Reml).unwrap();
        for e in fit.effects(1).unwrap() {
            let place = spots.units.iter().position(|u| [u.within[0], u.unit] == e.path[..]).unwrap();
            let has = (0..d.outcome.len()).any(|i| d.teacher[i] == e.path[1] && d.year[i] == left_out);
            if has {
                smallest[place] = smallest[place].min(prob_exceeds(e.effect, e.sd, 0.1));
            }
        }
    }
    for (unit, p) in spots.units.iter().zip(smallest) {
        let found = unit.peers.prob_without_best.unwrap();
        assert!((found - p).abs() < 0.03, "{}: {found} {p}", unit.label);
        assert!(found <= unit.peers.prob_exceeds + 0.25);
    }
}

#[test]
fn what_lasts_is_told_from_what_does_not() {
    // Teachers who differ and stay as they are; and teachers whose every year is drawn anew.
    let lasting = district(22, &Plan { year_sd: 0.05, ..PLAN }, |rng| 0.4 * normal(rng)).spots(&given(0.1));
    let fleeting = district(23, &Plan { year_sd: 0.4, ..PLAN }, |_| 0.0).spots(&given(0.1));
    let (a, b) = (lasting.persistence.unwrap(), fleeting.persistence.unwrap());
    assert_eq!((a.n_units, b.n_units), (100, 100));
    assert!(a.expected > 1.1 * a.by_chance, "{a:?}");
    assert!((b.expected / b.by_chance - 1.0).abs() < 0.25, "{b:?}");
    assert!(lasting.model.stability.unwrap() > 0.8 && fleeting.model.stability.unwrap() < 0.4);
    // More periods asked for, less often met; every unit in every period has its row.
    let all = district(22, &Plan { year_sd: 0.05, ..PLAN }, |rng| 0.4 * normal(rng));
    let strict = all.spots(&BrightSpec { min_periods: Some(3), ..given(0.1) });
    for (two, three) in lasting.units.iter().zip(&strict.units) {
        assert!(three.peers.prob_persists.unwrap() <= two.peers.prob_persists.unwrap() + 1e-9);
    }
    assert_eq!(lasting.periods.len(), 300);
    assert!(strict.units.iter().all(|u| u.peers.is_persistent.is_some()));
    let none = all.spots(&BrightSpec { min_periods: Some(4), ..given(0.1) });
    assert!(none.units.iter().all(|u| u.peers.prob_persists.is_none()));
    assert!(all.spots_where(&given(0.1), true, false).persistence.is_none());
}

#[test]
fn peers_work_under_like_conditions() {
    let plan = Plan { schools: 40, teachers: 5, students: 20, years: 1, school_sd: 0.5, ..PLAN };
    let d = district(24, &plan, |rng| 0.3 * normal(rng));
    let spots = d.spots_where(&given(0.1), false, false);
    assert_eq!(spots.conditions[0].name, "prior");
    let mut n_told = 0;
    for (place, unit) in spots.units.iter().enumerate() {
        let peers = spots.peers(place).unwrap();
        match unit.peers.matched {
            None => assert!(peers.is_empty()),
            Some(matched) => {
                n_told += 1;
                assert_eq!(matched.n_peers, peers.len());
                assert!((10..=30).contains(&peers.len()) && peers.iter().all(|p| p.unit != place));
                assert!((peers.iter().map(|p| p.weight).sum::<f64>() - 1.0).abs() < 1e-9);
                assert!(peers.windows(2).all(|w| w[0].distance <= w[1].distance));
                assert!(peers.iter().all(|p| p.distance <= 1.0));
                assert!((0.0..=1.0).contains(&matched.prob_above) && matched.prob_exceeds <= matched.prob_above);
            }
        }
    }
    assert!(n_told > 150);
    // Both routes see the same teachers: their answers go together. By the rule of the next test .74 should agree here, where
    // peers of like priors are of like schools.
    let pairs: Vec<(f64, f64)> =
        spots.units.iter().filter_map(|u| Some((u.peers.prob_exceeds, u.peers.matched?.prob_exceeds))).collect();
    let agree = pairs.iter().filter(|(a, b)| (*a > 0.5) == (*b > 0.5)).count();
    assert!(agree * 10 > pairs.len() * 7, "{agree} of {}", pairs.len());
    let agreement = spots.agreement.unwrap();
    assert_eq!(agreement.n_both + agreement.n_either, agreement.n_model + agreement.n_peers);
    assert!(agreement.n_both > 0 && agreement.n_units == n_told);
    // A tight caliper leaves nobody; without conditions there is nothing to be alike in.
    let tight = d.spots_where(&BrightSpec { caliper: 1e-3, ..given(0.1) }, false, false);
    assert!(tight.units.iter().all(|u| u.peers.matched.is_none()) && tight.agreement.is_none());
    assert!(tight.notes.iter().any(|n| n.code.as_str() == "few_matches" && n.count == 200));
}

/// Two estimates lie on the same side of their mean with probability 1/2 + asin(rho)/pi, rho their correlation (Sheppard
/// 1899, Phil. Trans. A 192:101).
///
/// Of a teacher the model sees school + own + error, and the comparison with peers the same less what theirs say: its
/// variance grows by the sum of the squared weights, and of the school only what prior scores do not tell is left, since
/// peers of like scores are of like schools. Within groups both leave the school out.
#[test]
fn both_routes_put_a_teacher_on_the_same_side() {
    for (school_sd, is_within) in [(0.5, true), (0.2, false)] {
        let plan = Plan { schools: 40, teachers: 5, students: 20, years: 1, school_sd, ..PLAN };
        // Agreements and teachers by school, whose teachers are not independent of each other; sums of squared weights.
        let (mut schools, mut squares): (Vec<(f64, f64)>, Vec<f64>) = (vec![], vec![]);
        for seed in 24..27 {
            let d = district(seed, &plan, |rng| 0.3 * normal(rng));
            let spots = d.spots_where(&given(0.1), is_within, false);
            let mut own = vec![(0.0, 0.0); plan.schools];
            for (place, unit) in spots.units.iter().enumerate() {
                let Some(matched) = unit.peers.matched else { continue };
                squares.push(spots.peers(place).unwrap().iter().map(|p| p.weight * p.weight).sum());
                let (agree, n) = &mut own[unit.unit as usize / plan.teachers];
                *agree += f64::from((unit.peers.effect > 0.0) == (matched.difference > 0.0));
                *n += 1.0;
            }
            schools.extend(own);
        }
        let error = 1.0 / plan.students as f64;
        let (own, around) = (0.3_f64.powi(2) + plan.year_sd.powi(2) + error, school_sd * school_sd);
        let told = around / (around + error);
        let kept = if is_within { 1.0 } else { (own + around * (1.0 - told)) / (own + around) };
        let rho = (kept / (1.0 + squares.iter().sum::<f64>() / squares.len() as f64)).sqrt();
        let expected = 0.5 + rho.asin() / std::f64::consts::PI;
        let (agree, n) = schools.iter().fold((0.0, 0.0), |(a, n), school| (a + school.0, n + school.1));
        let found = agree / n;
        let se = schools.iter().map(|(a, m)| (a - found * m).powi(2)).sum::<f64>().sqrt() / n;
        assert!((found - expected).abs() < 3.0 * se, "{school_sd} {is_within}: {found}, not {expected} (SE {se})");
        assert!(n > 580.0 && expected - 3.0 * se > 0.80, "{school_sd} {is_within}: {expected} (SE {se})");
    }
}

#[test]
fn a_guard_that_is_worse_keeps_a_unit_out() {
    let mut d = district(25, &Plan { teachers: 4, ..PLAN }, |rng| 0.05 * normal(rng));
    for i in 0..d.outcome.len() {
        if [10, 30, 50].contains(&d.teacher[i]) {
            d.outcome[i] += 1.2;
        }
    }
    let rng = &mut ChaCha8Rng::seed_from_u64(26);
    // Teacher 10 pays with attendance, 30 does not; of 50 nobody wrote it down.
    let attendance: Vec<f64> = d
        .teacher
        .iter()
        .map(|t| match t {
            50 => f64::NAN,
            10 => normal(rng) - 1.5,
            _ => normal(rng) + 0.2 * f64::from(t % 3),
        })
        .collect();
    let guard = Guard { name: "attendance", values: &attendance, margin: Some(0.5) };
    let free = d.spots(&given(0.1));
    let names = |s: &brightspot::bright::BrightSpots| -> Vec<String> {
        s.candidates.iter().map(|&i| s.units[i].label.clone()).collect()
    };
    assert_eq!(names(&free), ["T010", "T030", "T050"]);
    let spots = d.with_guards(&given(0.1), true, true, &[guard]);
    assert_eq!(names(&spots), ["T030", "T050"]);
    let at = |label: &str| spots.units.iter().position(|u| u.label == label).unwrap();
    let unit = &spots.units[at("T010")].peers;
    assert_eq!((unit.guards[0].finding, unit.are_guards_kept), (GuardFinding::Harmed, Some(false)));
    assert_eq!(unit.finding, Finding::NotDistinguishable);
    assert!(unit.has_prob && unit.is_in_fdr_set && !unit.is_candidate);
    assert!(spots.explain(at("T010")).unwrap().text().contains("a guard is not kept"));
    let kept = &spots.units[at("T030")].peers.guards[0];
    assert_eq!((kept.finding, kept.is_kept), (GuardFinding::NotWorse, true));
    let unknown = &spots.units[at("T050")].peers.guards[0];
    assert_eq!((unknown.finding, unknown.prob_not_worse), (GuardFinding::CannotTell, None));
    assert!(spots.explain(at("T050")).unwrap().text().contains("Nothing is known of its attendance"));
    // The audit trail holds every gate, met by a candidate.
    let trail = spots.explain(at("T030")).unwrap().criteria;
    assert!(trail.iter().filter(|c| c.is_gate).all(|c| c.is_met == Some(true)));
    assert!(trail.iter().any(|c| c.name == "guard_attendance") && trail.iter().any(|c| c.name == "is_persistent"));
    assert!(spots.notes.iter().any(|n| n.code.as_str() == "guard_missing" && n.count == 60));
    for (margin, values) in [(Some(-1.0), &attendance[..]), (None, &attendance[1..])] {
        let wrong = Guard { name: "attendance", values, margin };
        let (schools, teachers) = (labels(100, "S"), labels(100, "T"));
        let within = [Factor { name: "school", codes: &d.school, labels: &schools }];
        let input = BrightInput {
            outcome: &d.outcome,
            adjust: &[],
            unit: Factor { name: "teacher", codes: &d.teacher, labels: &teachers },
            within: &within,
            period: None,
            context: &[],
        };
        let found = brightspot::bright::guarded_bright_spots(&input, &[wrong], &given(0.1), &|_, _| Ok(()));
        assert!(found.unwrap_err().to_string().contains("guard"));
    }
    let stopped = |_: usize, _: usize| Err(brightspot::Error::Interrupted);
    let (schools, teachers) = (labels(100, "S"), labels(100, "T"));
    let input = BrightInput {
        outcome: &d.outcome,
        adjust: &[],
        unit: Factor { name: "teacher", codes: &d.teacher, labels: &teachers },
        within: &[Factor { name: "school", codes: &d.school, labels: &schools }],
        period: None,
        context: &[],
    };
    let error = brightspot::bright::guarded_bright_spots(&input, &[], &given(0.1), &stopped).unwrap_err();
    assert_eq!(error.code(), "interrupted");
}

/// Teachers whose advantage is their students': the outcome bends upwards with prior scores, and a straight line is
/// adjusted for.
fn bent() -> District {
    let plan = Plan { schools: 60, teachers: 3, students: 20, years: 1, school_sd: 0.0, year_sd: 0.0 };
    let mut d = district(27, &plan, |rng| 0.02 * normal(rng));
    for i in 0..d.outcome.len() {
        // Ten teachers have far better prepared students.
        if d.teacher[i] % 18 == 0 {
            d.prior[i] += 2.0;
            d.outcome[i] += 0.6 * 2.0 + 1.6;
        }
    }
    d
}

#[test]
fn candidates_with_easier_conditions_speak_against_the_adjustment() {
    let spots = bent().spots_where(&given(0.1), false, false);
    assert!(spots.candidates.len() >= 3);
    let prior = &spots.balance[0];
    assert!(prior.difference > 1.0 && prior.is_easier == Some(true), "{prior:?}");
    let note = spots.notes.iter().find(|n| n.code.as_str() == "easier_conditions").unwrap();
    assert_eq!((note.at.as_str(), note.count), ("prior", spots.candidates.len()));
    // Where conditions have nothing to do with it nothing is said.
    let fair = district(28, &PLAN, |rng| 0.35 * normal(rng)).spots(&given(0.1));
    assert!(fair.candidates.len() >= 3 && fair.balance[0].is_easier == Some(false));
    assert!(fair.notes.iter().all(|n| n.code.as_str() != "easier_conditions"));
}

#[test]
fn a_condition_that_is_the_schools_own_is_said_to_be() {
    let d = district(29, &PLAN, |rng| 0.3 * normal(rng));
    let (schools, teachers) = (labels(100, "S"), labels(100, "T"));
    let kinds = ["large".to_owned(), "small".to_owned()];
    let kind: Vec<u32> = d.school.iter().map(|s| s % 2).collect();
    let within = [Factor { name: "school", codes: &d.school, labels: &schools }];
    let covariates = [
        Covariate::Numeric { name: "prior", values: &d.prior },
        Covariate::Categorical { name: "kind", codes: &kind, levels: &kinds },
    ];
    let input = BrightInput {
        outcome: &d.outcome,
        adjust: &covariates,
        unit: Factor { name: "teacher", codes: &d.teacher, labels: &teachers },
        within: &within,
        period: None,
        context: &[],
    };
    let spots = bright_spots(&input, &given(0.1)).unwrap();
    let said: Vec<_> = spots.notes.iter().filter(|n| n.code.as_str() == "confounded_condition").collect();
    assert_eq!(said.iter().map(|n| (n.at.as_str(), n.count)).collect::<Vec<_>>(), [("kind", 20)]);
}

#[test]
fn other_methods_stand_beside_the_answer() {
    let d = district(30, &PLAN, |rng| 0.35 * normal(rng));
    let spots = d.spots(&given(0.1));
    for (unit, check) in spots.units.iter().zip(&spots.checks) {
        let all = [check.prob_normal, check.prob_ash, check.prob_smooth].map(Option::unwrap);
        assert!((unit.peers.prob_exceeds - all.into_iter().fold(1.0, f64::min)).abs() < 1e-9);
        let (p, bh, by) = (check.p_value.unwrap(), check.bh.unwrap(), check.by.unwrap());
        assert!(p <= bh && bh <= by && check.storey.unwrap() <= bh + 1e-12);
        assert!(check.lfsr.unwrap() >= check.lfdr.unwrap() - 1e-9);
    }
    let top: f64 = spots.units.iter().map(|u| u.peers.prob_top).sum();
    assert!((top - 10.0).abs() < 0.01, "{top}");
    // Triple-goal estimates spread more than shrunken effects and less than raw ones.
    let spread = |get: &dyn Fn(&brightspot::bright::Answer) -> f64| {
        let v: Vec<f64> = spots.units.iter().map(|u| get(&u.peers)).collect();
        let mean = v.iter().sum::<f64>() / v.len() as f64;
        v.iter().map(|x| (x - mean).powi(2)).sum::<f64>()
    };
    let (shrunken, triple, raw) =
        (spread(&|a| a.effect), spread(&|a| a.triple_goal), spread(&|a| a.effect / a.reliability));
    assert!(shrunken < triple && triple < raw, "{shrunken} {triple} {raw}");
}
