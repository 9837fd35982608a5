//! The synthetic district: what was planted there is what is named.

use brightspot::bright::{
    BrightInput, BrightSpec, Factor, PracticeSpec, UnitMoments, UseRows, bright_spots, practices,
};
use brightspot::mixed::{Covariate, encode};
use brightspot::synthetic::district;

#[test]
fn the_planted_practices_of_the_district_are_named() {
    let place = district(1).unwrap();
    let scores = &place.scores;
    let rows: Vec<usize> = (0..scores.spring.len()).filter(|&i| scores.prior[i].is_some()).collect();
    let text = |column: &[String]| encode(rows.iter().map(|&i| column[i].as_str()));
    let flag = |column: &[bool]| -> Vec<f64> { rows.iter().map(|&i| f64::from(u8::from(column[i]))).collect() };
    let (teacher, teachers) = text(&scores.teacher_id);
    let (school, schools) = text(&scores.school_id);
    let years: Vec<String> = scores.year.iter().map(ToString::to_string).collect();
    let (year, years) = text(&years);
    let outcome: Vec<f64> = rows.iter().map(|&i| scores.spring[i]).collect();
    let prior: Vec<f64> = rows.iter().map(|&i| scores.prior[i].unwrap()).collect();
    let (frl, el) = (flag(&scores.frl), flag(&scores.el));
    let input = BrightInput {
        outcome: &outcome,
        adjust: &[
            Covariate::Numeric { name: "prior", values: &prior },
            Covariate::Numeric { name: "frl", values: &frl },
            Covariate::Numeric { name: "el", values: &el },
        ],
        unit: Factor { name: "teacher_id", codes: &teacher, labels: &teachers },
        within: &[Factor { name: "school_id", codes: &school, labels: &schools }],
        period: Some(Factor { name: "year", codes: &year, labels: &years }),
        context: &[],
    };
    let spots = bright_spots(&input, &BrightSpec::default()).unwrap();
    let moments = UnitMoments::new(&input, &spots).unwrap();
    let (practice, names) = encode(place.practices.practice.iter().map(String::as_str));
    let unit: Vec<Option<usize>> =
        place.practices.teacher_id.iter().map(|id| spots.units.iter().position(|u| u.label == *id)).collect();
    let rows = UseRows {
        unit: &unit,
        practice: &practice.into_iter().map(Some).collect::<Vec<_>>(),
        practices: &names,
        is_used: Some(&place.practices.is_used),
        fidelity: None,
    };
    let (uses, _) = rows.uses(spots.units.len(), None).unwrap();
    let found = practices(&spots, &moments, &uses, &PracticeSpec::default()).unwrap();
    for row in &found.rows {
        println!(
            "{} {} {:.2} {:.2} {:.3} {}",
            row.practice,
            row.n_users,
            row.estimate.unwrap(),
            row.se.unwrap(),
            row.prob_positive.unwrap(),
            row.finding.as_str()
        );
    }
    let named: Vec<&str> = found.candidates.iter().map(|&k| found.rows[k].practice.as_str()).collect();
    let truth = &place.truth.practices;
    let planted: Vec<&str> =
        truth.practice.iter().zip(&truth.is_planted).filter(|(_, p)| **p).map(|(name, _)| name.as_str()).collect();
    assert_eq!(named, planted);
}
