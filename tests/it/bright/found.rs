//! What is found: nobody without an effect, the far out, one spike, the two questions, the record of it all.

use std::collections::BTreeSet;

use brightspot::bright::{BrightInput, BrightSpec, BrightSpots, Factor, Finding, bright_spots};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{District, PLAN, Plan, district, given, labels, normal};

#[test]
fn students_shuffled_among_teachers_flag_nobody() {
    let mut d = district(1, &PLAN, |rng| 0.3 * normal(rng));
    assert!(!d.spots(&BrightSpec::default()).candidates.is_empty(), "there is something to lose");
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let n: usize = (0..30)
        .map(|_| {
            d.shuffle(&mut rng);
            d.spots(&BrightSpec::default()).candidates.len()
        })
        .sum();
    assert!(f64::from(n as u32) / 30.0 <= 0.5, "{n} candidates in 30 shuffles");
}

#[test]
fn the_far_out_are_found_and_tiny_classes_are_not_judged() {
    // Two of a hundred teachers at +1.2 among ordinary ones at 0.1; a third has four students a little short of gold.
    let mut count = 0;
    let mut d = district(3, &PLAN, |rng| {
        count += 1;
        if count == 18 || count == 61 { 1.2 } else { 0.1 * normal(rng) }
    });
    for i in 0..4 {
        d.outcome.push(4.0);
        d.prior.push(0.0);
        d.teacher.push(100);
        d.school.push(0);
        d.year.push(i % 3);
    }
    let spots = d.spots(&BrightSpec::default());
    let found: Vec<&str> = spots.candidates.iter().map(|&i| spots.units[i].label.as_str()).collect();
    assert_eq!(found, ["T017", "T060"]);
    let overall: Vec<&str> = spots.candidates_overall.iter().map(|&i| spots.units[i].label.as_str()).collect();
    assert!(overall.contains(&"T017") || overall.contains(&"T060"), "{overall:?}");
    for &i in &spots.candidates {
        let unit = &spots.units[i];
        assert_eq!((unit.n, unit.n_periods, unit.peers.finding), (60, Some(3), Finding::Bright));
        assert_eq!(unit.peers.is_consistent, Some(true));
        // Shrunken towards ordinary teachers, and yet well above the threshold.
        assert!(unit.peers.lo > 0.2 && unit.peers.hi < 1.9, "{:?}", unit.peers);
        assert!(unit.peers.expected_percentile > 0.95);
        let text = spots.explain(i).unwrap().text();
        assert!(
            text.starts_with(&format!("{}: 60 students over 3 periods. After adjusting for prior", unit.label)),
            "{text}"
        );
        assert!(text.contains("in the same school") && text.contains("still ahead whichever period"), "{text}");
    }
    assert!(spots.false_share.unwrap() <= 0.10);
    let tiny = spots.units.iter().find(|u| u.label == "T100").unwrap();
    assert_eq!(tiny.peers.finding, Finding::Suppressed);
    assert_eq!((tiny.peers.q_value, tiny.overall.q_value), (None, None));
    let place = spots.units.iter().position(|u| u.label == "T100").unwrap();
    let explanation = spots.explain(place).unwrap();
    assert!(explanation.answer.is_none() && explanation.overall.is_none());
    assert_eq!(explanation.text(), "T100: fewer than 10 students, too few to judge. Nothing is said about it.");
    // Two ordinary teachers beside each, never the same, and like them in their conditions.
    let taken: BTreeSet<usize> = spots.typical.iter().map(|t| t.unit).collect();
    assert_eq!((spots.typical.len(), taken.len()), (4, 4));
    for t in &spots.typical {
        let unit = &spots.units[t.unit];
        assert!(unit.has_min_n && !unit.peers.is_candidate && !unit.overall.is_candidate);
        assert!((0.35..=0.65).contains(&unit.peers.expected_percentile));
        assert!(spots.candidates.contains(&t.matched_to));
    }
    let codes: Vec<&str> = spots.notes.iter().map(|n| n.code.as_str()).collect();
    assert!(codes.contains(&"small_units") && codes.contains(&"default_threshold"), "{codes:?}");
    // The threshold is a tenth of the spread within years: here about sqrt(.36 + 1 + ...) / 10.
    assert!((0.11..0.14).contains(&spots.threshold), "{}", spots.threshold);
    for unit in spots.units.iter().filter(|u| u.peers.finding == Finding::NotDistinguishable) {
        let i = spots.units.iter().position(|u| u.label == unit.label).unwrap();
        let text = spots.explain(i).unwrap().text();
        assert!(text.contains("do not tell it from ordinary units"), "{text}");
        // A minus sign, not a hyphen.
        assert_eq!(text.contains("(95% interval \u{2212}"), unit.peers.lo < 0.0, "{text}");
        assert!(!text.contains("interval -") && !text.contains("to -"), "{text}");
        assert!(!text.contains("worst") && !text.contains("rank"), "{text}");
    }
}

#[test]
fn one_spike_is_one_period() {
    // T005 is far out in one year of three, T050 in all of them.
    let mut d = district(4, &PLAN, |rng| 0.1 * normal(rng));
    for i in 0..d.outcome.len() {
        if d.teacher[i] == 50 || (d.teacher[i] == 5 && d.year[i] == 1) {
            d.outcome[i] += if d.teacher[i] == 50 { 1.0 } else { 1.8 };
        }
    }
    let spots = d.spots(&given(0.1));
    let at = |label: &str| spots.units.iter().find(|u| u.label == label).unwrap();
    assert_eq!(at("T050").peers.finding, Finding::Bright);
    assert_eq!(at("T005").peers.is_consistent, Some(false));
    assert!(at("T005").peers.finding != Finding::Bright && !at("T005").peers.is_candidate);
    // Whoever is ahead by all periods together but not without the best of them is no candidate.
    assert!(spots.units.iter().all(|u| u.peers.finding != Finding::OnePeriod || !u.peers.is_candidate));
    // Without the years nothing is known about consistency: promising at best.
    let pooled = d.spots_where(&given(0.1), true, false);
    assert!(pooled.units.iter().all(|u| u.peers.is_consistent.is_none() && u.n_periods.is_none()));
    assert_eq!(pooled.units.iter().find(|u| u.label == "T050").unwrap().peers.finding, Finding::Promising);
    // One year only: said, and no worse than without.
    let mut year = d.clone();
    year.year = vec![0; year.year.len()];
    let one = year.spots(&given(0.1));
    assert!(one.notes.iter().any(|n| n.code.as_str() == "one_period" && n.at == "year"));
    assert_eq!(one.candidates, pooled.candidates);
}

#[test]
fn labels_order_and_scale_decide_nothing() {
    let d = district(5, &PLAN, |rng| 0.35 * normal(rng));
    let before = d.spots(&BrightSpec::default());
    assert!(before.candidates.len() >= 3);
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    // Rows in another order, other codes, another scale of the outcome.
    let mut order: Vec<usize> = (0..d.outcome.len()).collect();
    order.shuffle(&mut rng);
    let mut codes: Vec<u32> = (0..100).collect();
    codes.shuffle(&mut rng);
    let moved = District {
        outcome: order.iter().map(|&i| 500.0 + 40.0 * d.outcome[i]).collect(),
        prior: order.iter().map(|&i| 3.0 - 2.0 * d.prior[i]).collect(),
        teacher: order.iter().map(|&i| codes[d.teacher[i] as usize]).collect(),
        school: order.iter().map(|&i| 19 - d.school[i]).collect(),
        year: order.iter().map(|&i| d.year[i]).collect(),
        truth: vec![],
        years: vec![],
    };
    let after = moved.spots(&BrightSpec::default());
    assert!((after.threshold - 40.0 * before.threshold).abs() < 1e-9 * after.threshold);
    for unit in &before.units {
        let twin = after.units.iter().find(|u| u.unit == codes[unit.unit as usize]).unwrap();
        for (a, b) in [(&unit.peers, &twin.peers), (&unit.overall, &twin.overall)] {
            assert!((40.0 * a.effect - b.effect).abs() < 1e-3 && (40.0 * a.sd - b.sd).abs() < 1e-3);
            assert!((a.prob_exceeds - b.prob_exceeds).abs() < 1e-4);
            assert!((a.expected_percentile - b.expected_percentile).abs() < 1e-4);
            assert_eq!((a.is_candidate, a.finding, a.is_consistent), (b.is_candidate, b.finding, b.is_consistent));
        }
    }
}

#[test]
fn the_two_questions_differ_by_the_school() {
    // A school at +1.5 whose teachers are alike: bright against all, ordinary among themselves.
    let mut d = district(7, &PLAN, |rng| 0.15 * normal(rng));
    for i in 0..d.outcome.len() {
        if d.school[i] == 3 {
            d.outcome[i] += 1.5;
        }
    }
    let spots = d.spots(&BrightSpec::default());
    let there: Vec<_> = spots.units.iter().filter(|u| u.within == [3]).collect();
    assert_eq!(there.len(), 5);
    assert!(there.iter().all(|u| u.overall.is_candidate && u.overall.effect > 1.0));
    assert!(there.iter().filter(|u| u.peers.is_candidate).count() <= 1);
    // Without groups both questions are one.
    let flat = d.spots_where(&BrightSpec::default(), false, true);
    assert_eq!(flat.candidates, flat.candidates_overall);
    for u in &flat.units {
        assert!((u.peers.effect - u.overall.effect).abs() < 1e-12 && (u.peers.sd - u.overall.sd).abs() < 1e-12);
        assert!((u.peers.prob_exceeds - u.overall.prob_exceeds).abs() < 1e-9);
        assert_eq!((u.peers.finding, u.peers.is_in_fdr_set), (u.overall.finding, u.overall.is_in_fdr_set));
    }
}

#[test]
fn figures_of_units_are_no_students() {
    let mut d = district(40, &Plan { schools: 4, ..PLAN }, |rng| 0.3 * normal(rng));
    let told = |d: &District, has_period: bool| {
        let (teachers, years) = (labels(100, "T"), labels(9, "Y"));
        let period = Factor { name: "year", codes: &d.year, labels: &years };
        let input = BrightInput {
            outcome: &d.outcome,
            adjust: &[],
            unit: Factor { name: "teacher", codes: &d.teacher, labels: &teachers },
            within: &[],
            period: has_period.then_some(period),
            context: &[],
        };
        bright_spots(&input, &given(0.1)).map(|spots| spots.candidates.len())
    };
    assert!(told(&d, true).is_ok());
    // A mean for every student of a year: told of by year, and no mistake where the years are what is repeated.
    d.outcome =
        d.teacher.iter().zip(&d.year).map(|(t, y)| d.truth[*t as usize] + d.years[*t as usize][*y as usize]).collect();
    assert!(told(&d, false).is_ok());
    let error = told(&d, true).unwrap_err();
    assert!(error.to_string().contains("the same for all rows of each teacher"), "{error}");
}

#[test]
fn two_teachers_are_no_peers() {
    let plan = Plan { schools: 12, teachers: 2, ..PLAN };
    let d = district(8, &plan, |rng| 0.6 * normal(rng));
    let spots = d.spots(&BrightSpec::default());
    assert!(spots.candidates.is_empty() && spots.false_share.is_none());
    assert!(spots.units.iter().all(|u| !u.has_peers && u.peers.q_value.is_none() && u.overall.q_value.is_some()));
    assert!(spots.notes.iter().any(|n| n.code.as_str() == "few_peers" && n.count == 24));
    assert!(spots.explain(0).unwrap().text().contains("too few units to compare it with"));
    assert_eq!(spots.explain(24).unwrap_err().code(), "invalid_option");
}

#[test]
fn a_result_is_its_own_record() {
    let d = district(9, &Plan { schools: 4, ..PLAN }, |rng| 0.5 * normal(rng));
    let spots = d.spots(&given(0.2));
    let text = serde_json::to_string(&spots).unwrap();
    let again: BrightSpots = serde_json::from_str(&text).unwrap();
    assert_eq!(again, spots);
    assert!(text.contains("\"threshold\":{\"given\":0.2}"), "{}", &text[..200]);
    let sparse: BrightSpec = serde_json::from_str("{\"fdr\": 0.2, \"threshold\": \"tenth_of_sd\"}").unwrap();
    assert_eq!(sparse, BrightSpec { fdr: 0.2, ..BrightSpec::default() });
    for (spec, part) in [
        (given(-1.0), "threshold"),
        (given(f64::NAN), "threshold"),
        (BrightSpec { fdr: 0.0, ..given(0.1) }, "fdr"),
        (BrightSpec { min_prob: f64::NAN, ..given(0.1) }, "min_prob"),
        (BrightSpec { min_n: 0, ..given(0.1) }, "min_n"),
    ] {
        assert!(spec.validate().unwrap_err().to_string().contains(part));
    }
}
