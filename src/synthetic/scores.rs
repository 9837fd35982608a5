//! Students and their scores.

use serde::{Deserialize, Serialize};

use super::people::{MEAN_FRL, School, Team};
use super::spec::{CLASS_MAX, CLASS_MIN};
use super::truth::Teacher;
use super::{DistrictSpec, Draw, calendar};

/// Standard deviation of the spring score within a grade and year, over the district; points. Truths in standard
/// deviations are in this unit.
pub const OUTCOME_SD: f64 = 18.0;

/// Students' scores, one row per student and school year.
///
/// The scale is set within each grade: spring scores have a mean near 200 and a standard deviation near 18
/// ([`OUTCOME_SD`]) in every grade, so grades may be pooled. Given last spring's score `prior`, with its slope `b` = .78,
///
/// `spring = 200 + b (prior - 200) - 2.5 (frl - share) - 2.5 (el - share) + school + teacher + teacher-year + residual`
///
/// where the teacher-year part has a standard deviation of .05 [`OUTCOME_SD`] (what makes a class vary from year to year
/// beyond its students), and .75 of what fall shows beyond `prior` carries over to the residual of spring, which has a
/// standard deviation near 10 points.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// The student; the same in every year.
    pub student_id: Vec<String>,
    /// The teacher of that year.
    pub teacher_id: Vec<String>,
    /// The teacher's team.
    pub plc_id: Vec<String>,
    /// The school.
    pub school_id: Vec<String>,
    /// The grade of that year.
    pub grade: Vec<i64>,
    /// The year in which the school year began.
    pub year: Vec<i64>,
    /// Whether the student has free or reduced-price lunch.
    pub frl: Vec<bool>,
    /// Whether the student is learning English.
    pub el: Vec<bool>,
    /// The score of the spring before, points; missing for about 2%.
    pub prior: Vec<Option<f64>>,
    /// The score of fall, points; missing for about 2%.
    pub fall: Vec<Option<f64>>,
    /// The score of spring, points.
    pub spring: Vec<f64>,
}

/// The mean of spring scores.
const SPRING_MEAN: f64 = 200.0;
/// The mean of fall scores: a summer forgets, half a year's teaching is yet to come.
const FALL_MEAN: f64 = 191.0;
/// Slope of spring on prior.
const PRIOR_SLOPE: f64 = 0.78;
/// Slope of fall on prior.
const FALL_SLOPE: f64 = 0.86;
/// What fall shows beyond prior; points.
const FALL_SD: f64 = 7.0;
/// The part of that which lasts until spring.
const FALL_CARRY: f64 = 0.75;
/// What spring shows beyond all else; points. Chosen so that spring has a standard deviation of 18.
const SPRING_SD: f64 = 8.75;
/// A year's growth of a student with free lunch, or learning English, against one without; points.
const COVARIATE: f64 = -2.5;
/// What a class adds in one year only, beyond its teacher; standard deviations of the outcome.
const TEACHER_YEAR: f64 = 0.05;
/// New students: difference of prior score with free lunch, and for English learners; points.
const PRIOR_FRL: f64 = -8.0;
const PRIOR_EL: f64 = -7.0;
/// New students: what is left; points.
const PRIOR_SD: f64 = 16.2;
/// English learners: their share is `EL_BASE + EL_FRL * share_frl^2`, higher among students with free lunch.
const EL_BASE: f64 = 0.04;
const EL_FRL: f64 = 0.25;
/// The mean share of English learners that follows for the district.
const MEAN_EL: f64 = 0.118;
/// Correlation between prior score and the order in which classes are filled.
const SORTING: f64 = 0.35;
/// Standard deviation of class sizes before they are cut to the smallest and largest.
const CLASS_SD: f64 = 4.0;
/// The chance that a student returns to the same school in the next year.
const RETURN: f64 = 0.95;
/// The chance that a score of the spring before, or of fall, is missing.
const MISSING: f64 = 0.02;

#[derive(Debug, Clone)]
struct Student {
    number: u32,
    frl: bool,
    el: bool,
    /// Last spring's score.
    prior: f64,
}

/// The scores, and how many students each school has in the last year.
pub(super) fn generate(
    spec: &DistrictSpec,
    schools: &[School],
    teams: &[Team],
    roster: &[Teacher],
    draw: &mut Draw,
) -> (Scores, Vec<u32>) {
    let mut scores = Scores::default();
    let mut enrolment = vec![0; schools.len()];
    // Who always gets the stronger class is settled once for each team; the order in the roster says nothing about it.
    let seating: Vec<Vec<&Teacher>> = by_team(teams, roster)
        .map(|teachers| {
            let mut seats: Vec<&Teacher> = teachers.iter().collect();
            draw.shuffle(&mut seats);
            seats
        })
        .collect();
    let mut last_number = 0;
    let mut leaving: Vec<Vec<Student>> = vec![Vec::new(); teams.len()];
    for year in calendar::LAST_YEAR + 1 - spec.years..=calendar::LAST_YEAR {
        // A team's students of last year move up to the next team of the school; those of the highest grade leave.
        let mut arriving = std::mem::take(&mut leaving).into_iter();
        let mut promoted = Vec::new();
        for ((team, seats), school) in teams.iter().zip(&seating).zip(teams.iter().map(|team| schools.get(team.school)))
        {
            let Some(school) = school else { continue };
            if team.grade == 1 {
                promoted = Vec::new();
            }
            let mut students = std::mem::replace(&mut promoted, arriving.next().unwrap_or_default());
            let sizes: Vec<u32> = seats.iter().map(|_| class_size(spec, draw)).collect();
            let n_seats: u32 = sizes.iter().sum();
            students.retain(|_| draw.chance(RETURN));
            draw.shuffle(&mut students);
            students.truncate(n_seats as usize);
            while students.len() < n_seats as usize {
                last_number += 1;
                students.push(newcomer(last_number, school, draw));
            }
            let mut seated = sorted(students, draw).into_iter();
            let mut finished = Vec::with_capacity(n_seats as usize);
            for (teacher, size) in seats.iter().zip(sizes) {
                let spike = teacher.spike.map_or(0.0, |(points, in_year)| if in_year == year { points } else { 0.0 });
                let added = teacher.overall + spike + draw.normal(0.0, TEACHER_YEAR * OUTCOME_SD);
                for student in seated.by_ref().take(size as usize) {
                    let (fall, spring) = tested(&student, added, draw);
                    scores.push(&student, team, teacher, year, draw, fall, spring);
                    finished.push(Student { prior: spring, ..student });
                }
            }
            if year == calendar::LAST_YEAR
                && let Some(count) = enrolment.get_mut(team.school)
            {
                *count += n_seats;
            }
            leaving.push(finished);
        }
    }
    (scores, enrolment)
}

/// The roster, cut into teams.
fn by_team<'a>(teams: &[Team], roster: &'a [Teacher]) -> impl Iterator<Item = &'a [Teacher]> {
    let mut rest = roster;
    teams.iter().map(move |team| {
        let (own, others) = rest.split_at(team.teacher_ids.len().min(rest.len()));
        rest = others;
        own
    })
}

fn class_size(spec: &DistrictSpec, draw: &mut Draw) -> u32 {
    let mean = f64::from(spec.n_students) / f64::from(spec.n_teachers);
    let size = draw.normal(mean, CLASS_SD).round().clamp(f64::from(CLASS_MIN), f64::from(CLASS_MAX));
    // Whole and between the smallest and the largest class.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let size = size as u32;
    size
}

fn newcomer(number: u32, school: &School, draw: &mut Draw) -> Student {
    let frl = draw.chance(school.share_frl);
    let share_el = EL_BASE + EL_FRL * school.share_frl * school.share_frl;
    let el = draw.chance(share_el * if frl { 1.2 } else { 0.7 });
    let prior = draw.normal(
        SPRING_MEAN + school.intake + PRIOR_FRL * (on(frl) - MEAN_FRL) + PRIOR_EL * (on(el) - MEAN_EL),
        PRIOR_SD,
    );
    Student { number, frl, el, prior: prior.round() }
}

/// Students in the order in which classes are filled: stronger ones tend to come first.
fn sorted(students: Vec<Student>, draw: &mut Draw) -> Vec<Student> {
    let chance = (1.0 - SORTING * SORTING).sqrt();
    let mut keyed: Vec<(f64, Student)> = students
        .into_iter()
        .map(|student| (SORTING * (student.prior - SPRING_MEAN) / OUTCOME_SD + draw.normal(0.0, chance), student))
        .collect();
    keyed.sort_by(|a, b| b.0.total_cmp(&a.0));
    keyed.into_iter().map(|(_, student)| student).collect()
}

/// A student's scores of fall and spring.
fn tested(student: &Student, added: f64, draw: &mut Draw) -> (f64, f64) {
    let above = student.prior - SPRING_MEAN;
    let news = draw.normal(0.0, FALL_SD);
    let spring = SPRING_MEAN
        + PRIOR_SLOPE * above
        + COVARIATE * (on(student.frl) - MEAN_FRL)
        + COVARIATE * (on(student.el) - MEAN_EL)
        + added
        + FALL_CARRY * news
        + draw.normal(0.0, SPRING_SD);
    ((FALL_MEAN + FALL_SLOPE * above + news).round(), spring.round())
}

fn on(flag: bool) -> f64 {
    f64::from(u8::from(flag))
}

impl Scores {
    #[allow(clippy::too_many_arguments)] // one row: its parts have no other use together
    fn push(
        &mut self,
        student: &Student,
        team: &Team,
        teacher: &Teacher,
        year: u32,
        draw: &mut Draw,
        fall: f64,
        spring: f64,
    ) {
        let prior = (!draw.chance(MISSING)).then_some(student.prior);
        let fall = (!draw.chance(MISSING)).then_some(fall);
        self.student_id.push(format!("P{:06}", student.number));
        self.teacher_id.push(teacher.id.clone());
        self.plc_id.push(team.id.clone());
        self.school_id.push(team.school_id.clone());
        self.grade.push(i64::from(team.grade));
        self.year.push(i64::from(year));
        self.frl.push(student.frl);
        self.el.push(student.el);
        self.prior.push(prior);
        self.fall.push(fall);
        self.spring.push(spring);
    }
}
