//! The district as tables of typed columns, for whatever turns them into data frames.

use jiff::civil::Date;

use super::{Attendance, Incidents};
use super::{
    District, PracticeTruth, PracticeUses, Process, Scores, SeriesTruth, TeacherTruth, Teachers, TeamScores, Units,
};

/// A column: values of one type, missing ones only where the type says so.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Text.
    Str(Vec<String>),
    /// Text, or missing.
    OptStr(Vec<Option<String>>),
    /// Numbers.
    F64(Vec<f64>),
    /// Numbers, or missing.
    OptF64(Vec<Option<f64>>),
    /// Whole numbers.
    I64(Vec<i64>),
    /// Whole numbers, or missing.
    OptI64(Vec<Option<i64>>),
    /// Dates.
    Date(Vec<Date>),
    /// Dates, or missing.
    OptDate(Vec<Option<Date>>),
    /// True or false.
    Bool(Vec<bool>),
    /// True or false, or missing.
    OptBool(Vec<Option<bool>>),
}

impl Column {
    /// How many values it holds, missing ones included.
    pub fn len(&self) -> usize {
        match self {
            Self::Str(values) => values.len(),
            Self::OptStr(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::OptF64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::OptI64(values) => values.len(),
            Self::Date(values) => values.len(),
            Self::OptDate(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::OptBool(values) => values.len(),
        }
    }

    /// Whether it holds no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A table: columns of the same length, each with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns in order.
    pub columns: Vec<(&'static str, Column)>,
}

impl Table {
    /// How many rows it has.
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }
}

impl District {
    /// The tables in a fixed order; those of the truth are called `truth_teachers`, `truth_series` and
    /// `truth_practices`.
    ///
    /// Codes are text. `frl` and `el` are the texts `yes` and `no`: as the levels of a category they name their terms in a
    /// model well.
    pub fn tables(&self) -> Vec<Table> {
        let table = |name, columns| Table { name, columns };
        vec![
            table("units", units(&self.units)),
            table("teachers", teachers(&self.teachers)),
            table("scores", scores(&self.scores)),
            table("attendance", attendance(&self.attendance)),
            table("incidents", incidents(&self.incidents)),
            table("exit_tickets", team_scores(&self.exit_tickets)),
            table("fluency", team_scores(&self.fluency)),
            table("process", process(&self.process)),
            table("practices", practices(&self.practices)),
            table("truth_teachers", truth_teachers(&self.truth.teachers)),
            table("truth_series", truth_series(&self.truth.series)),
            table("truth_practices", truth_practices(&self.truth.practices)),
        ]
    }
}

type Columns = Vec<(&'static str, Column)>;

fn units(units: &Units) -> Columns {
    vec![
        ("unit_id", Column::Str(units.unit_id.clone())),
        ("kind", codes(&units.kind, |kind| kind.as_str())),
        ("name", Column::Str(units.name.clone())),
        ("parent_id", Column::OptStr(units.parent_id.clone())),
    ]
}

fn teachers(teachers: &Teachers) -> Columns {
    vec![
        ("teacher_id", Column::Str(teachers.teacher_id.clone())),
        ("plc_id", Column::Str(teachers.plc_id.clone())),
        ("school_id", Column::Str(teachers.school_id.clone())),
        ("grade", Column::I64(teachers.grade.clone())),
    ]
}

fn scores(scores: &Scores) -> Columns {
    vec![
        ("student_id", Column::Str(scores.student_id.clone())),
        ("teacher_id", Column::Str(scores.teacher_id.clone())),
        ("plc_id", Column::Str(scores.plc_id.clone())),
        ("school_id", Column::Str(scores.school_id.clone())),
        ("grade", Column::I64(scores.grade.clone())),
        ("year", Column::I64(scores.year.clone())),
        ("frl", codes(&scores.frl, |flag| yes_no(*flag))),
        ("el", codes(&scores.el, |flag| yes_no(*flag))),
        ("prior", Column::OptF64(scores.prior.clone())),
        ("fall", Column::OptF64(scores.fall.clone())),
        ("spring", Column::F64(scores.spring.clone())),
    ]
}

fn attendance(attendance: &Attendance) -> Columns {
    vec![
        ("school_id", Column::Str(attendance.school_id.clone())),
        ("week", Column::Date(attendance.week.clone())),
        ("days_absent", Column::I64(attendance.days_absent.clone())),
        ("days_enrolled", Column::I64(attendance.days_enrolled.clone())),
    ]
}

fn incidents(incidents: &Incidents) -> Columns {
    vec![
        ("school_id", Column::Str(incidents.school_id.clone())),
        ("week", Column::Date(incidents.week.clone())),
        ("n_incidents", Column::I64(incidents.n_incidents.clone())),
        ("student_days", Column::I64(incidents.student_days.clone())),
    ]
}

fn team_scores(scores: &TeamScores) -> Columns {
    vec![
        ("plc_id", Column::Str(scores.plc_id.clone())),
        ("teacher_id", Column::Str(scores.teacher_id.clone())),
        ("date", Column::Date(scores.date.clone())),
        ("score", Column::F64(scores.score.clone())),
        ("n_students", Column::I64(scores.n_students.clone())),
    ]
}

fn process(process: &Process) -> Columns {
    vec![
        ("plc_id", Column::Str(process.plc_id.clone())),
        ("teacher_id", Column::Str(process.teacher_id.clone())),
        ("date", Column::Date(process.date.clone())),
        ("n_used", Column::I64(process.n_used.clone())),
        ("n_lessons", Column::I64(process.n_lessons.clone())),
    ]
}

fn truth_teachers(truth: &TeacherTruth) -> Columns {
    vec![
        ("teacher_id", Column::Str(truth.teacher_id.clone())),
        ("true_effect", Column::F64(truth.true_effect.clone())),
        ("true_effect_sd", Column::F64(truth.true_effect_sd.clone())),
        ("true_effect_overall", Column::F64(truth.true_effect_overall.clone())),
        ("is_planted", Column::Bool(truth.is_planted.clone())),
        ("kind", codes(&truth.kind, |kind| kind.as_str())),
        ("spike", Column::OptF64(truth.spike.clone())),
        ("spike_year", Column::OptI64(truth.spike_year.clone())),
    ]
}

fn truth_series(truth: &SeriesTruth) -> Columns {
    vec![
        ("series", Column::Str(truth.series.clone())),
        ("unit_id", Column::Str(truth.unit_id.clone())),
        ("has_shift", Column::Bool(truth.has_shift.clone())),
        ("shift_at", Column::OptDate(truth.shift_at.clone())),
        ("before", Column::F64(truth.before.clone())),
        ("size", Column::F64(truth.size.clone())),
        ("unit_of_value", Column::Str(truth.unit_of_value.clone())),
        ("direction", codes(&truth.direction, |meaning| meaning.as_str())),
    ]
}

fn practices(uses: &PracticeUses) -> Columns {
    vec![
        ("teacher_id", Column::Str(uses.teacher_id.clone())),
        ("practice", Column::Str(uses.practice.clone())),
        ("is_used", Column::OptBool(uses.is_used.clone())),
        ("fidelity", Column::OptF64(uses.fidelity.clone())),
    ]
}

fn truth_practices(truth: &PracticeTruth) -> Columns {
    vec![("practice", Column::Str(truth.practice.clone())), ("is_planted", Column::Bool(truth.is_planted.clone()))]
}

fn codes<T>(values: &[T], code: impl Fn(&T) -> &'static str) -> Column {
    Column::Str(values.iter().map(|value| code(value).to_owned()).collect())
}

fn yes_no(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}
