//! Places and teachers.

use serde::{Deserialize, Serialize};

use super::DistrictSpec;
use super::draw::Draw;

/// The kind of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// The whole district.
    District,
    /// A school.
    School,
    /// A professional learning community: the teachers of one grade in one school.
    Plc,
}

impl UnitKind {
    /// The code, as in JSON and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::District => "district",
            Self::School => "school",
            Self::Plc => "plc",
        }
    }
}

/// The tree of places, one row each: the district, then every school followed by its teams.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Units {
    /// Its id, unique.
    pub unit_id: Vec<String>,
    /// Its kind.
    pub kind: Vec<UnitKind>,
    /// Its name.
    pub name: Vec<String>,
    /// The place it belongs to; none for the district.
    pub parent_id: Vec<Option<String>>,
}

/// Teachers, one row each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Teachers {
    /// The teacher's id, unique.
    pub teacher_id: Vec<String>,
    /// The team.
    pub plc_id: Vec<String>,
    /// The school.
    pub school_id: Vec<String>,
    /// The grade taught, in every year.
    pub grade: Vec<i64>,
}

/// What a school has been given to do in the stories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    AbsenceFalls,
    AbsenceFallsLess,
    AbsenceRises,
    IncidentsFall,
    StudentDaysFall,
    None,
}

/// A school and what is true of it.
#[derive(Debug, Clone)]
pub(super) struct School {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) role: Role,
    /// The share of its students with free or reduced-price lunch.
    pub(super) share_frl: f64,
    /// How far its intake lies above the district's mean score, given income; points.
    pub(super) intake: f64,
    /// What the school adds to a year's growth; points, mean 0 over schools.
    pub(super) effect: f64,
}

/// A team and its teachers.
#[derive(Debug, Clone)]
pub(super) struct Team {
    pub(super) id: String,
    /// Where its school stands in the list of schools.
    pub(super) school: usize,
    pub(super) school_id: String,
    pub(super) grade: u32,
    pub(super) teacher_ids: Vec<String>,
}

/// Names for schools; where there are more schools, they are numbered.
const NAMES: [&str; 24] = [
    "Alder",
    "Birch",
    "Cedar",
    "Dogwood",
    "Elm",
    "Fir",
    "Ginkgo",
    "Hazel",
    "Ironwood",
    "Juniper",
    "Katsura",
    "Linden",
    "Maple",
    "Nutmeg",
    "Oak",
    "Poplar",
    "Quince",
    "Redbud",
    "Spruce",
    "Tamarack",
    "Umbrella Pine",
    "Viburnum",
    "Willow",
    "Yew",
];

/// The poorest and the richest school's share of students with free or reduced-price lunch.
const SHARE_FRL: (f64, f64) = (0.20, 0.85);
/// Standard deviation of schools' intake, given income; points.
const INTAKE_SD: f64 = 3.5;
/// Mean difference of intake between a school where all and one where none have free lunch, beyond the students' own;
/// points.
const INTAKE_FRL: f64 = -8.0;
/// Standard deviation of what schools add; points.
const SCHOOL_EFFECT_SD: f64 = 1.4;

/// The mean share over schools: covariates are centred on it, so that scores have the mean they are meant to have.
pub(super) const MEAN_FRL: f64 = f64::midpoint(SHARE_FRL.0, SHARE_FRL.1);

pub(super) fn schools(spec: &DistrictSpec, draw: &mut Draw, order: &mut Draw) -> Vec<School> {
    let n = spec.n_schools;
    let width = n.to_string().len().max(2);
    let mut ranks: Vec<u32> = (0..n).collect();
    draw.shuffle(&mut ranks);
    let mut roles = vec![
        Role::AbsenceFalls,
        Role::AbsenceFallsLess,
        Role::AbsenceRises,
        Role::IncidentsFall,
        Role::StudentDaysFall,
    ];
    roles.resize(n as usize, Role::None);
    order.shuffle(&mut roles);
    let mut schools: Vec<School> = (1..=n)
        .zip(ranks)
        .zip(roles)
        .map(|((number, rank), role)| {
            let share_frl = SHARE_FRL.0 + (SHARE_FRL.1 - SHARE_FRL.0) * (f64::from(rank) + 0.5) / f64::from(n);
            School {
                id: format!("S{number:0width$}"),
                name: NAMES
                    .get(number as usize - 1)
                    .map_or_else(|| format!("School {number}"), |name| format!("{name} Elementary")),
                role,
                share_frl,
                intake: INTAKE_FRL * (share_frl - MEAN_FRL) + draw.normal(0.0, INTAKE_SD),
                effect: draw.normal(0.0, SCHOOL_EFFECT_SD),
            }
        })
        .collect();
    // Centred, so that "what a school adds" is against the district's mean school.
    let center = schools.iter().map(|school| school.effect).sum::<f64>() / f64::from(n);
    for school in &mut schools {
        school.effect -= center;
    }
    schools
}

/// The tree of places, and the teams with the ids of their teachers.
pub(super) fn teams(spec: &DistrictSpec, schools: &[School]) -> (Units, Vec<Team>) {
    const DISTRICT: &str = "D1";
    let mut units = Units::default();
    let mut unit = |id: &str, kind, name: String, parent: Option<&str>| {
        units.unit_id.push(id.to_owned());
        units.kind.push(kind);
        units.name.push(name);
        units.parent_id.push(parent.map(str::to_owned));
    };
    unit(DISTRICT, UnitKind::District, "Greenfield School District".into(), None);
    let width = spec.n_teachers.to_string().len();
    let (each, extra) = (spec.n_teachers / spec.n_plcs(), spec.n_teachers % spec.n_plcs());
    let mut teams = Vec::new();
    let mut last_teacher = 0;
    let mut last_team = 0;
    for (position, school) in schools.iter().enumerate() {
        unit(&school.id, UnitKind::School, school.name.clone(), Some(DISTRICT));
        for grade in 1..=spec.plcs_per_school {
            let id = format!("{}-G{grade}", school.id);
            unit(&id, UnitKind::Plc, format!("{} grade {grade}", school.name), Some(&school.id));
            // What does not divide evenly goes to the first teams.
            let n_teachers = each + u32::from(last_team < extra);
            let first = last_teacher + 1;
            last_teacher += n_teachers;
            last_team += 1;
            teams.push(Team {
                id,
                school: position,
                school_id: school.id.clone(),
                grade,
                teacher_ids: (first..=last_teacher).map(|number| format!("T{number:0width$}")).collect(),
            });
        }
    }
    (units, teams)
}

pub(super) fn teachers(teams: &[Team]) -> Teachers {
    let mut teachers = Teachers::default();
    for team in teams {
        for id in &team.teacher_ids {
            teachers.teacher_id.push(id.clone());
            teachers.plc_id.push(team.id.clone());
            teachers.school_id.push(team.school_id.clone());
            teachers.grade.push(i64::from(team.grade));
        }
    }
    teachers
}
