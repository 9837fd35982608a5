//! Two teams around a change: exit tickets, a guard measure, and whether they did what they planned.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Draw;
use super::calendar::{CHANGE, day, team_weeks};
use super::people::Team;
use super::truth::{SeriesRow, SeriesTruth, round};
use crate::Result;
use crate::rules::Meaning;

/// A score of each class on each date, for two teams: mean over the students who were there. More is better.
///
/// Twice a week, Tuesdays and Thursdays: 16 dates before the change of 26 October 2026, 12 from it on. All classes of a
/// team share a deviation from date to date (a ticket is harder or easier) with an autocorrelation of .3.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamScores {
    /// The team.
    pub plc_id: Vec<String>,
    /// The class, by its teacher.
    pub teacher_id: Vec<String>,
    /// The date.
    pub date: Vec<Date>,
    /// The mean score of the class.
    pub score: Vec<f64>,
    /// How many students it rests on.
    pub n_students: Vec<i64>,
}

/// How often each class used its team's routine, one row per class and week. More is as planned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// The team.
    pub plc_id: Vec<String>,
    /// The class, by its teacher.
    pub teacher_id: Vec<String>,
    /// The Friday of the week.
    pub date: Vec<Date>,
    /// Lessons in which the routine was used.
    pub n_used: Vec<i64>,
    /// Lessons held.
    pub n_lessons: Vec<i64>,
}

/// How scores of one kind come about; points of their own scale.
struct Law {
    series: &'static str,
    unit_of_value: &'static str,
    level: f64,
    /// Between classes of a team.
    class_sd: f64,
    /// From date to date, in common for the team.
    date_sd: f64,
    /// From student to student.
    student_sd: f64,
    highest: f64,
    /// Gain of the team whose change works.
    gain: f64,
}

const EXIT_TICKETS: Law = Law {
    series: "exit_tickets",
    unit_of_value: "points of 20",
    level: 10.5,
    class_sd: 1.0,
    date_sd: 1.5,
    student_sd: 4.0,
    highest: 20.0,
    gain: 4.0,
};

const FLUENCY: Law = Law {
    series: "fluency",
    unit_of_value: "facts a minute",
    level: 22.0,
    class_sd: 2.0,
    date_sd: 0.35,
    student_sd: 3.0,
    highest: f64::INFINITY,
    gain: 0.0,
};

/// Correlation of a team's deviations on neighbouring dates.
const AUTOCORRELATION: f64 = 0.3;
/// Days of the week with tickets: Tuesday and Thursday.
const TICKET_DAYS: [i64; 2] = [1, 3];
/// Shares of lessons in which the routine is used, before and after.
const USED: (f64, f64) = (0.10, 0.80);
/// The chance that a student is there.
const PRESENT: f64 = 0.93;
/// Students in a class of these teams in the new year.
const CLASS: (u32, u32) = (20, 27);

/// A class of one of the two teams.
struct Class<'a> {
    teacher_id: &'a str,
    size: u32,
}

/// Exit tickets, fluency and process of two teams of the highest grade; the first one's change works.
pub(super) fn generate(
    teams: &[Team],
    order: &mut Draw,
    truth: &mut SeriesTruth,
    draw: &mut Draw,
) -> Result<(TeamScores, TeamScores, Process)> {
    let highest = teams.iter().map(|team| team.grade).max();
    let mut chosen: Vec<&Team> = teams.iter().filter(|team| Some(team.grade) == highest).collect();
    order.shuffle(&mut chosen);
    chosen.truncate(2);
    let rooms: Vec<Vec<Class<'_>>> = chosen
        .iter()
        .map(|team| {
            team.teacher_ids.iter().map(|id| Class { teacher_id: id, size: draw.integer(CLASS.0, CLASS.1) }).collect()
        })
        .collect();
    let mut tables = [TeamScores::default(), TeamScores::default()];
    for (table, law) in tables.iter_mut().zip([EXIT_TICKETS, FLUENCY]) {
        // Of the two changes, the first works, on what it was made for.
        for ((team, classes), gain) in chosen.iter().zip(&rooms).zip([law.gain, 0.0]) {
            scored(table, &law, gain, team, classes, draw)?;
            truth.push(SeriesRow {
                series: law.series,
                unit_id: &team.id,
                before: law.level,
                unit_of_value: law.unit_of_value,
                shift: (gain > 0.0).then_some((CHANGE, gain, Meaning::Improvement)),
            });
        }
    }
    let mut process = Process::default();
    for (team, classes) in chosen.iter().zip(&rooms) {
        used(&mut process, team, classes, draw)?;
        truth.push(SeriesRow {
            series: "process",
            unit_id: &team.id,
            before: USED.0,
            unit_of_value: "share of lessons",
            shift: Some((CHANGE, USED.1 - USED.0, Meaning::Improvement)),
        });
    }
    let [exit_tickets, fluency] = tables;
    Ok((exit_tickets, fluency, process))
}

fn scored(
    table: &mut TeamScores,
    law: &Law,
    gain: f64,
    team: &Team,
    classes: &[Class<'_>],
    draw: &mut Draw,
) -> Result<()> {
    let mut levels: Vec<f64> = classes.iter().map(|_| draw.normal(0.0, law.class_sd)).collect();
    // Centred, so that the team's level is the law's.
    let center = levels.iter().sum::<f64>() / levels.len() as f64;
    for level in &mut levels {
        *level += law.level - center;
    }
    let innovation = law.date_sd * (1.0 - AUTOCORRELATION * AUTOCORRELATION).sqrt();
    let mut shared = draw.normal(0.0, law.date_sd);
    for date in team_weeks().into_iter().flat_map(|week| TICKET_DAYS.map(|weekday| day(week, weekday))) {
        shared = AUTOCORRELATION * shared + draw.normal(0.0, innovation);
        let gained = if date >= CHANGE { gain } else { 0.0 };
        for (class, level) in classes.iter().zip(&levels) {
            let n_students = draw.binomial(class.size, PRESENT)?.max(1);
            let error = draw.normal(0.0, law.student_sd / f64::from(n_students).sqrt());
            table.plc_id.push(team.id.clone());
            table.teacher_id.push(class.teacher_id.to_owned());
            table.date.push(date);
            table.score.push(round((level + gained + shared + error).clamp(0.0, law.highest), 2));
            table.n_students.push(i64::from(n_students));
        }
    }
    Ok(())
}

fn used(table: &mut Process, team: &Team, classes: &[Class<'_>], draw: &mut Draw) -> Result<()> {
    for week in team_weeks() {
        let share = if week.monday >= CHANGE { USED.1 } else { USED.0 };
        for class in classes {
            let n_used = draw.binomial(week.days, share)?;
            table.plc_id.push(team.id.clone());
            table.teacher_id.push(class.teacher_id.to_owned());
            table.date.push(day(week, 4));
            table.n_used.push(i64::from(n_used));
            table.n_lessons.push(i64::from(week.days));
        }
    }
    Ok(())
}
