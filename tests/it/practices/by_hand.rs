//! What is counted, what is said, and what is refused.

use brightspot::bright::{BrightSpec, Combine, PracticeFinding, PracticeSpec, PracticeUse, UseRows, practices};
use brightspot::{Note, NoteCode};

use super::{PLAN, Plan, by_chance, district, planted, row, seeded, twenty};

const UNITS: usize = PLAN.schools * PLAN.teachers;

fn note(notes: &[Note], code: NoteCode, at: &str) -> Option<Note> {
    notes.iter().find(|n| n.code == code && n.at == at).cloned()
}

#[test]
fn what_bright_rooms_share_is_named_with_what_it_rests_on() {
    let rng = &mut seeded(21);
    let uses = twenty(rng, UNITS);
    let d = district(rng, &PLAN, &planted(&uses, 2, 0.35));
    let found = d.practices(&uses);
    let named: Vec<&str> = found.candidates.iter().map(|&k| found.rows[k].practice.as_str()).collect();
    assert_eq!(named, ["practice 00", "practice 01"]);
    assert!(found.false_share.unwrap() < 0.05);
    for k in &found.candidates {
        let r = &found.rows[*k];
        assert!((r.estimate.unwrap() - 0.35).abs() < 4.0 * r.se.unwrap());
        assert!(r.shrunken.unwrap() < r.estimate.unwrap() && r.lo.unwrap() > 0.0 && r.hi.unwrap() > 0.35);
        assert_eq!((r.n_users + r.n_others, r.n_unknown), (UNITS, 0));
        assert_eq!((r.periods.len(), r.is_stable), (3, Some(true)));
        assert!(r.share_bright.unwrap() > r.share_typical.unwrap(), "bright rooms use it more");
    }
    assert!(found.rows.is_sorted_by_key(|r| r.practice.clone()));
    assert_eq!(found.notes[0], Note::new(NoteCode::AssociationOnly, 20));
}

#[test]
fn what_is_not_known_is_left_out_and_counted() {
    let rng = &mut seeded(4);
    let full = by_chance(rng, "a", UNITS, 0.5);
    let mut holed = PracticeUse { name: "b".into(), ..full.clone() };
    holed.dose[..30].fill(None);
    let mut assumed = PracticeUse { name: "c".into(), ..full.clone() };
    assumed.dose[..30].fill(Some(0.0));
    let d = district(rng, &PLAN, &planted(std::slice::from_ref(&full), 1, 0.3));
    let found = d.practices(&[full, holed, assumed]);
    let (a, b, c) = (row(&found, "a"), row(&found, "b"), row(&found, "c"));
    assert_eq!((a.n_unknown, b.n_unknown, c.n_unknown), (0, 30, 0));
    assert_eq!(b.n_users + b.n_others, UNITS - 30);
    assert!(b.se.unwrap() > a.se.unwrap(), "less is known");
    assert!((b.estimate.unwrap() - c.estimate.unwrap()).abs() > 0.01, "not known is not 'does not use'");
    assert_eq!(note(&found.notes, NoteCode::UnknownUse, "").unwrap().count, 30);
}

#[test]
fn too_few_users_or_groups_give_no_number() {
    let rng = &mut seeded(6);
    let used_by = |name: &str, units: &[usize]| PracticeUse {
        name: name.into(),
        dose: (0..UNITS).map(|u| Some(f64::from(u8::from(units.contains(&u))))).collect(),
    };
    let uses = [
        used_by("four users", &[0, 10, 20, 30]),
        used_by("two schools", &[0, 1, 2, 5, 6, 7]),
        used_by("all but four", &(4..UNITS).collect::<Vec<_>>()),
        used_by("nobody", &[]),
        used_by("five", &[0, 10, 20, 30, 40]),
        PracticeUse { name: "unknown".into(), dose: vec![None; UNITS] },
    ];
    let found = district(rng, &PLAN, &[]).practices(&uses);
    for r in &found.rows {
        if r.practice == "five" {
            assert!(r.estimate.is_some() && r.finding == PracticeFinding::NotDistinguishable);
            continue;
        }
        assert_eq!(r.finding, PracticeFinding::Insufficient, "{}", r.practice);
        assert_eq!((r.estimate, r.se, r.shrunken, r.prob_positive, r.q_value), (None, None, None, None, None));
        assert!(!r.is_candidate && note(&found.notes, NoteCode::FewUsers, &r.practice).is_some());
    }
    assert_eq!(found.notes[0].count, 1, "only one practice was judged");
    assert!(note(&found.notes, NoteCode::FewPractices, "").is_some());
}

#[test]
fn practices_that_go_together_are_said_to() {
    let rng = &mut seeded(8);
    let mut uses = twenty(rng, UNITS);
    let mut twin = PracticeUse { name: "twin".into(), ..uses[0].clone() };
    twin.dose[0] = twin.dose[0].map(|d| 1.0 - d);
    let opposite =
        PracticeUse { name: "opposite".into(), dose: uses[0].dose.iter().map(|d| d.map(|d| 1.0 - d)).collect() };
    uses.extend([twin, opposite]);
    let d = district(rng, &PLAN, &planted(&uses, 1, 0.4));
    let found = d.practices(&uses);
    assert_eq!(row(&found, "practice 00").inseparable_from, ["opposite", "twin"]);
    assert_eq!(row(&found, "twin").inseparable_from, ["opposite", "practice 00"]);
    assert!(row(&found, "practice 01").inseparable_from.is_empty());
    let said = note(&found.notes, NoteCode::Inseparable, "practice 00, twin").unwrap();
    assert_eq!(said.count, UNITS);
    assert!(said.value.unwrap() > 0.9 && said.message().contains("cannot tell which"));
    let (used, not) = (row(&found, "practice 00"), row(&found, "opposite"));
    assert!((used.estimate.unwrap() + not.estimate.unwrap()).abs() < 1e-8, "the mirror image");
    assert!(!not.is_candidate && not.prob_positive.unwrap() < 0.05);
}

#[test]
fn fidelity_is_a_dose() {
    // Use at half the fidelity throughout: twice the estimate for use in full, with the same certainty.
    let rng = &mut seeded(9);
    let full = by_chance(rng, "full", UNITS, 0.5);
    let half = PracticeUse { name: "half".into(), dose: full.dose.iter().map(|d| d.map(|d| d / 2.0)).collect() };
    let d = district(rng, &PLAN, &planted(std::slice::from_ref(&full), 1, 0.3));
    let found = d.practices(&[full, half]);
    let (full, half) = (row(&found, "full"), row(&found, "half"));
    assert!((half.estimate.unwrap() - 2.0 * full.estimate.unwrap()).abs() < 1e-8);
    assert!((half.df.unwrap() - full.df.unwrap()).abs() < 1e-3);
    assert_eq!((full.mean_use, half.mean_use), (Some(1.0), Some(0.5)));
    assert_eq!(full.n_users, half.n_users);
}

#[test]
fn one_good_year_is_one_period() {
    // Two years; users are far ahead in the first and behind in the second.
    let rng = &mut seeded(13);
    let plan = Plan { years: 2, year_sd: 0.0, teacher_sd: 0.05, ..PLAN };
    let uses = twenty(rng, UNITS);
    let mut d = district(rng, &plan, &[]);
    for (y, (t, year)) in d.outcome.iter_mut().zip(d.teacher.iter().zip(&d.year)) {
        *y += uses[0].dose[*t as usize].unwrap() * if *year == 0 { 1.0 } else { -0.3 };
    }
    let found = d.practices(&uses);
    let r = row(&found, "practice 00");
    assert_eq!((r.is_stable, r.is_candidate), (Some(false), false));
    assert_eq!(r.finding, PracticeFinding::OnePeriod);
    assert!(r.periods[0].estimate.unwrap() > 0.8 && r.periods[1].estimate.unwrap() < 0.0);
}

#[test]
fn use_that_is_a_condition_cannot_be_told_from_it() {
    let rng = &mut seeded(14);
    let use_of = by_chance(rng, "p", UNITS, 0.5);
    let mut d = district(rng, &PLAN, &[]);
    d.prior = d.teacher.iter().map(|t| use_of.dose[*t as usize].unwrap()).collect();
    let found = d.practices(std::slice::from_ref(&use_of));
    assert_eq!(found.rows[0].finding, PracticeFinding::Insufficient);
    assert!(note(&found.notes, NoteCode::ConfoundedUse, "p").is_some());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let d = district(&mut seeded(1), &Plan { schools: 4, ..PLAN }, &[]);
    let (spots, moments) = d.search(&BrightSpec::default());
    let units = spots.units.len();
    let ask = |uses: &[PracticeUse]| {
        practices(&spots, &moments, uses, &PracticeSpec::default()).map_err(|e| (e.code(), e.to_string()))
    };
    let p = |dose: Vec<Option<f64>>| PracticeUse { name: "p".into(), dose };
    let good = p(vec![Some(0.0); units]);
    for (uses, part) in [
        (vec![good.clone(), good.clone()], "given twice"),
        (vec![p(vec![Some(0.0)])], "1 values for 20 units"),
        (vec![p(vec![Some(1.5); units])], "1.5"),
        (vec![p(vec![Some(f64::NAN); units])], "NaN"),
    ] {
        let (code, text) = ask(&uses).unwrap_err();
        assert!(code == "invalid_value" && text.contains(part), "{text}");
    }
    assert!(ask(&[]).unwrap().rows.is_empty(), "nothing asked is nothing found");
    for spec in [
        PracticeSpec { fdr: 1.0, ..Default::default() },
        PracticeSpec { min_prob: f64::NAN, ..Default::default() },
        PracticeSpec { min_units: 1, ..Default::default() },
        PracticeSpec { min_groups: 0, ..Default::default() },
    ] {
        assert_eq!(practices(&spots, &moments, &[], &spec).unwrap_err().code(), "invalid_option");
    }
    let other = district(&mut seeded(1), &Plan { schools: 5, ..PLAN }, &[]);
    let (of_other, _) = other.search(&BrightSpec::default());
    assert_ne!(of_other.units.len(), units);
}

#[test]
fn rows_of_uses_are_three_valued() {
    let practices = ["a".to_owned(), "b".to_owned()];
    let unit = [Some(0), Some(1), Some(1), Some(2), None, Some(1)];
    let practice = [Some(0), Some(0), Some(1), None, Some(1), Some(0)];
    let rows = UseRows { unit: &unit, practice: &practice, practices: &practices, is_used: None, fidelity: None };
    let doses = |rows: &UseRows, combine| -> Vec<Vec<Option<f64>>> {
        rows.uses(4, combine).unwrap().0.into_iter().map(|u| u.dose).collect()
    };
    // A list: the third unit was asked and uses nothing, the fourth was never asked.
    assert_eq!(doses(&rows, None), [[Some(1.0), Some(1.0), Some(0.0), None], [Some(0.0), Some(1.0), Some(0.0), None]]);
    let (_, notes) = rows.uses(4, None).unwrap();
    assert_eq!(notes, [Note::new(NoteCode::UnlistedNotUsed, 3), Note::new(NoteCode::RepeatedUses, 1)]);
    // With yes and no, what is not listed is not known, nor is a null.
    let said = [Some(true), Some(false), None, None, Some(true), Some(false)];
    let rows = UseRows { is_used: Some(&said), ..rows };
    assert_eq!(doses(&rows, None), [[Some(1.0), Some(0.0), None, None], [None; 4]]);
    // Fidelity: a use without it is not known; a repeat without it gives way.
    let fidelity = [Some(0.4), None, Some(0.9), None, None, Some(0.8)];
    let rows = UseRows { is_used: None, fidelity: Some(&fidelity), ..rows };
    assert_eq!(doses(&rows, None)[0], [Some(0.4), Some(0.8), Some(0.0), None]);
    let rows = UseRows { fidelity: Some(&[Some(0.4), None, None, None, None, None]), ..rows };
    assert_eq!(doses(&rows, None)[0], [Some(0.4), None, Some(0.0), None]);
}

#[test]
fn rows_that_contradict_each_other_need_a_word() {
    let practices = ["a".to_owned()];
    let said = [Some(true), Some(false), Some(false)];
    let rows = UseRows {
        unit: &[Some(0); 3],
        practice: &[Some(0); 3],
        practices: &practices,
        is_used: Some(&said),
        fidelity: None,
    };
    let error = rows.uses(1, None).unwrap_err();
    assert!(error.to_string().contains("\"a\"") && error.to_string().contains("combine"), "{error}");
    let dose = |rows: &UseRows, how| rows.uses(1, Some(how)).unwrap().0[0].dose[0].unwrap();
    assert_eq!(dose(&rows, Combine::Any), 1.0);
    assert!((dose(&rows, Combine::Mean) - 1.0 / 3.0).abs() < 1e-15);
    for (fidelity, part) in [(Some(1.2), "1.2"), (Some(f64::NAN), "NaN"), (Some(0.5), "not used")] {
        let fidelity = [None, fidelity, None];
        let error = UseRows { fidelity: Some(&fidelity), ..rows }.uses(1, Some(Combine::Any)).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(UseRows { unit: &[Some(0)], ..rows }.uses(1, None).unwrap_err().code(), "invalid_value");
}
