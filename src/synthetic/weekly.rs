//! Attendance and incidents: a row per school and week.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::calendar::{Week, school_weeks};
use super::people::{Role, School};
use super::truth::{SeriesRow, SeriesTruth, round};
use super::{DistrictSpec, Draw};
use crate::Result;
use crate::rules::Meaning;

/// Absence, one row per school and week: counts, so that a proportion chart is possible. Fewer is better.
///
/// Absences are binomial about a weekly rate which itself varies with a coefficient of variation of .05, so they vary a
/// little more than the binomial law allows, as real absences do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attendance {
    /// The school.
    pub school_id: Vec<String>,
    /// The week's Monday, be it a holiday or not.
    pub week: Vec<Date>,
    /// Student-days absent.
    pub days_absent: Vec<i64>,
    /// Student-days enrolled: students times the week's days of school.
    pub days_enrolled: Vec<i64>,
}

/// Incidents, one row per school and week, with their exposure. Fewer is better.
///
/// Incidents are Poisson about a weekly rate which itself varies with a coefficient of variation of .12.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incidents {
    /// The school.
    pub school_id: Vec<String>,
    /// The week's Monday.
    pub week: Vec<Date>,
    /// Incidents recorded.
    pub n_incidents: Vec<i64>,
    /// Student-days enrolled.
    pub student_days: Vec<i64>,
}

/// The lowest and the highest school's usual rate of absence.
const ABSENCE: (f64, f64) = (0.055, 0.080);
const ABSENCE_CV: f64 = 0.05;
/// Shifts of the rate of absence, and after which share of the weeks they come.
const ABSENCE_FALLS: (f64, f64) = (-0.018, 0.50);
const ABSENCE_FALLS_LESS: (f64, f64) = (-0.015, 0.44);
const ABSENCE_RISES: (f64, f64) = (0.018, 0.61);
/// The lowest and the highest school's usual incidents per student-day.
const INCIDENTS: (f64, f64) = (0.0020, 0.0045);
const INCIDENTS_CV: f64 = 0.12;
/// Where incidents fall: the rate before, the share by which it falls, and after which share of the weeks.
const INCIDENTS_FALL: (f64, f64, f64) = (0.0060, 0.50, 0.50);
/// Where only student-days fall: the share of students left, and after which share of the weeks. The others are taught,
/// and counted, in another building for the rest of the year.
const STUDENT_DAYS_FALL: (f64, f64) = (0.60, 0.42);
/// Students who come and go from week to week, at most.
const COME_AND_GO: u32 = 5;

/// The rate of absence before, and how it changes.
fn absence_shift(role: Role) -> Option<(f64, f64)> {
    match role {
        Role::AbsenceFalls => Some(ABSENCE_FALLS),
        Role::AbsenceFallsLess => Some(ABSENCE_FALLS_LESS),
        Role::AbsenceRises => Some(ABSENCE_RISES),
        Role::IncidentsFall | Role::StudentDaysFall | Role::None => None,
    }
}

/// The first week after a share of the weeks.
fn week_after(weeks: &[Week], share: f64) -> Option<Date> {
    // A share of fewer than 100 weeks.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let n_before = (share * weeks.len() as f64).round() as usize;
    weeks.get(n_before).map(|week| week.monday)
}

pub(super) fn attendance(
    spec: &DistrictSpec,
    schools: &[School],
    enrolment: &[u32],
    truth: &mut SeriesTruth,
    coming_and_going: &mut Draw,
    draw: &mut Draw,
) -> Result<Attendance> {
    let weeks = school_weeks(spec.weeks);
    let mut table = Attendance::default();
    let mut student_days = SeriesTruth::default();
    for (school, &enrolled) in schools.iter().zip(enrolment) {
        let before = round(draw.uniform(ABSENCE.0, ABSENCE.1), 4);
        let shift =
            absence_shift(school.role).and_then(|(size, share)| Some((week_after(&weeks, share)?, size, better(size))));
        let (left, leave) = STUDENT_DAYS_FALL;
        let leave = if school.role == Role::StudentDaysFall { week_after(&weeks, leave) } else { None };
        let after = (f64::from(enrolled) * left).round();
        for week in &weeks {
            let rate = before + shift.map_or(0.0, |(at, size, _)| if week.monday >= at { size } else { 0.0 });
            let moved = leave.is_some_and(|at| week.monday >= at);
            // A share of the enrolment, whole.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let students = if moved { after as u32 } else { enrolled };
            let students = students - COME_AND_GO + coming_and_going.integer(0, 2 * COME_AND_GO);
            let days_enrolled = students * week.days;
            let days_absent =
                draw.factor(ABSENCE_CV).and_then(|f| draw.binomial(days_enrolled, (rate * f).min(1.0)))?;
            table.school_id.push(school.id.clone());
            table.week.push(week.monday);
            table.days_absent.push(i64::from(days_absent));
            table.days_enrolled.push(i64::from(days_enrolled));
        }
        truth.push(SeriesRow {
            series: "attendance",
            unit_id: &school.id,
            before,
            unit_of_value: "absences per student-day",
            shift,
        });
        student_days.push(SeriesRow {
            series: "student_days",
            unit_id: &school.id,
            before: f64::from(enrolled),
            unit_of_value: "students",
            shift: leave.map(|at| (at, after - f64::from(enrolled), Meaning::Neutral)),
        });
    }
    truth.append(student_days);
    Ok(table)
}

pub(super) fn incidents(
    spec: &DistrictSpec,
    schools: &[School],
    attendance: &Attendance,
    truth: &mut SeriesTruth,
    draw: &mut Draw,
) -> Result<Incidents> {
    let weeks = school_weeks(spec.weeks);
    let mut exposures = attendance.days_enrolled.iter();
    let mut table = Incidents::default();
    for school in schools {
        let usual = round(draw.uniform(INCIDENTS.0, INCIDENTS.1), 5);
        let falls = school.role == Role::IncidentsFall;
        let (planted, share, when) = INCIDENTS_FALL;
        let before = if falls { planted } else { usual };
        let shift = if falls { week_after(&weeks, when).map(|at| (at, -share * planted)) } else { None };
        for (week, &student_days) in weeks.iter().zip(exposures.by_ref()) {
            let rate = before + shift.map_or(0.0, |(at, size)| if week.monday >= at { size } else { 0.0 });
            let n_incidents = draw.factor(INCIDENTS_CV).and_then(|f| draw.poisson(rate * f * student_days as f64))?;
            table.school_id.push(school.id.clone());
            table.week.push(week.monday);
            table.n_incidents.push(i64::from(n_incidents));
            table.student_days.push(student_days);
        }
        truth.push(SeriesRow {
            series: "incidents",
            unit_id: &school.id,
            before,
            unit_of_value: "incidents per student-day",
            shift: shift.map(|(at, size)| (at, size, better(size))),
        });
    }
    Ok(table)
}

/// Absence and incidents: fewer is better.
fn better(size: f64) -> Meaning {
    Meaning::of_side(crate::measure::Direction::Down, size)
}
