//! What is true of the synthetic district: of its teachers, and of its series.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::people::{School, Team};
use super::{DistrictSpec, OUTCOME_SD, PracticeTruth, calendar};
use crate::rules::Meaning;

/// Everything that was planted, and everything that was not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// One row per teacher.
    pub teachers: TeacherTruth,
    /// One row per series, those without a shift as well.
    pub series: SeriesTruth,
    /// One row per practice.
    pub practices: PracticeTruth,
}

/// What a teacher is in the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeacherKind {
    /// Planted: clearly better in every year.
    Bright,
    /// Planted as a trap: an ordinary teacher with one very good year.
    OneYear,
    /// Everyone else. Ordinary teachers differ too, and some are better than a threshold.
    Ordinary,
}

impl TeacherKind {
    /// The code, as in JSON and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bright => "bright",
            Self::OneYear => "one_year",
            Self::Ordinary => "ordinary",
        }
    }
}

/// What each teacher truly adds, one row per teacher in the order of the table of teachers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeacherTruth {
    /// The teacher.
    pub teacher_id: Vec<String>,
    /// What the teacher adds in every year to a student's spring score, given prior score, income and language, against
    /// the district's mean teacher; points.
    pub true_effect: Vec<f64>,
    /// The same in standard deviations of the spring score ([`OUTCOME_SD`]).
    pub true_effect_sd: Vec<f64>,
    /// Teacher and school together, against the district's mean; points.
    pub true_effect_overall: Vec<f64>,
    /// Whether the teacher is a planted bright spot.
    pub is_planted: Vec<bool>,
    /// What the teacher is in the story.
    pub kind: Vec<TeacherKind>,
    /// For the teacher with one good year: what that year adds beyond `true_effect`; points.
    pub spike: Vec<Option<f64>>,
    /// The year of the spike.
    pub spike_year: Vec<Option<i64>>,
}

/// What truly happened in each series, one row per series and unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesTruth {
    /// The measure: `attendance` (absence), `incidents`, `student_days`, `exit_tickets`, `fluency`, `process`.
    pub series: Vec<String>,
    /// The school or team.
    pub unit_id: Vec<String>,
    /// Whether the level shifts.
    pub has_shift: Vec<bool>,
    /// The first date of the new level.
    pub shift_at: Vec<Option<Date>>,
    /// The true level before, in `unit_of_value`.
    pub before: Vec<f64>,
    /// The true change of level, in `unit_of_value`; 0 without a shift.
    pub size: Vec<f64>,
    /// What the level is counted in.
    pub unit_of_value: Vec<String>,
    /// What the shift means.
    pub direction: Vec<Meaning>,
}

/// One row of the truth about series.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeriesRow<'a> {
    pub(super) series: &'a str,
    pub(super) unit_id: &'a str,
    pub(super) before: f64,
    pub(super) unit_of_value: &'a str,
    /// Where there is a shift: its date, its size, and what it means.
    pub(super) shift: Option<(Date, f64, Meaning)>,
}

impl SeriesTruth {
    pub(super) fn push(&mut self, row: SeriesRow<'_>) {
        self.series.push(row.series.to_owned());
        self.unit_id.push(row.unit_id.to_owned());
        self.has_shift.push(row.shift.is_some());
        self.shift_at.push(row.shift.map(|(date, _, _)| date));
        self.before.push(round(row.before, 6));
        self.size.push(row.shift.map_or(0.0, |(_, size, _)| round(size, 6)));
        self.unit_of_value.push(row.unit_of_value.to_owned());
        self.direction.push(row.shift.map_or(Meaning::None, |(_, _, meaning)| meaning));
    }

    pub(super) fn append(&mut self, other: Self) {
        self.series.extend(other.series);
        self.unit_id.extend(other.unit_id);
        self.has_shift.extend(other.has_shift);
        self.shift_at.extend(other.shift_at);
        self.before.extend(other.before);
        self.size.extend(other.size);
        self.unit_of_value.extend(other.unit_of_value);
        self.direction.extend(other.direction);
    }
}

/// A teacher with what is true of him or her.
#[derive(Debug, Clone)]
pub(super) struct Teacher {
    pub(super) id: String,
    /// Against the district's mean teacher; points.
    pub(super) effect: f64,
    /// With the school's; points.
    pub(super) overall: f64,
    pub(super) kind: TeacherKind,
    /// Points, and in which year.
    pub(super) spike: Option<(f64, u32)>,
}

/// One teacher in so many is planted as bright.
const BRIGHT_ONE_IN: u32 = 20;
/// The least and the most that a bright teacher adds, above the mean of the ordinary ones; standard deviations. The mean
/// of all teachers lies some .025 higher, so against it they add .35 to .60.
const BRIGHT: (f64, f64) = (0.38, 0.62);
/// Standard deviation of ordinary teachers' effects, in standard deviations of the outcome: at the low end of what
/// value-added studies report (.10 to .20 within schools), so that planted teachers stand out.
const ORDINARY: f64 = 0.12;
/// What the one good year adds; standard deviations.
const SPIKE: f64 = 0.80;

/// Every teacher in the order of the teams, with what is true of each.
pub(super) fn roster(spec: &DistrictSpec, teams: &[Team], schools: &[School], draw: &mut Draw) -> Vec<Teacher> {
    let n = spec.n_teachers as usize;
    let n_bright = (spec.n_teachers / BRIGHT_ONE_IN).max(1) as usize;
    let mut kinds = vec![TeacherKind::Bright; n_bright];
    kinds.push(TeacherKind::OneYear);
    kinds.resize(n, TeacherKind::Ordinary);
    draw.shuffle(&mut kinds);
    let first_year = calendar::LAST_YEAR + 1 - spec.years;
    let ids = teams.iter().flat_map(|team| team.teacher_ids.iter().map(move |id| (id, team)));
    let mut roster: Vec<Teacher> = ids
        .zip(kinds)
        .map(|((id, team), kind)| {
            let effect = OUTCOME_SD
                * match kind {
                    TeacherKind::Bright => draw.uniform(BRIGHT.0, BRIGHT.1),
                    TeacherKind::OneYear | TeacherKind::Ordinary => draw.normal(0.0, ORDINARY),
                };
            let spike = (kind == TeacherKind::OneYear)
                .then(|| (SPIKE * OUTCOME_SD, draw.integer(first_year, calendar::LAST_YEAR)));
            let overall = schools.get(team.school).map_or(0.0, |school| school.effect);
            Teacher { id: id.clone(), effect, overall, kind, spike }
        })
        .collect();
    // Centred: a model's effects are deviations from the mean teacher, and so must the truth be.
    let center = roster.iter().map(|teacher| teacher.effect).sum::<f64>() / n as f64;
    for teacher in &mut roster {
        teacher.effect -= center;
        teacher.overall += teacher.effect;
    }
    roster
}

pub(super) fn of_teachers(roster: &[Teacher]) -> TeacherTruth {
    let mut truth = TeacherTruth::default();
    for teacher in roster {
        truth.teacher_id.push(teacher.id.clone());
        truth.true_effect.push(round(teacher.effect, 4));
        truth.true_effect_sd.push(round(teacher.effect / OUTCOME_SD, 4));
        truth.true_effect_overall.push(round(teacher.overall, 4));
        truth.is_planted.push(teacher.kind == TeacherKind::Bright);
        truth.kind.push(teacher.kind);
        truth.spike.push(teacher.spike.map(|(points, _)| points));
        truth.spike_year.push(teacher.spike.map(|(_, year)| i64::from(year)));
    }
    truth
}

/// `value` to so many decimals.
pub(super) fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}
