//! Who uses which practice.

use serde::{Deserialize, Serialize};

use super::OUTCOME_SD;
use super::draw::Draw;
use super::people::Team;
use super::truth::{Teacher, round};

/// What coaches saw in classrooms, one row per teacher who was visited and practice.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PracticeUses {
    /// The teacher; some one in twenty was never visited and has no row.
    pub teacher_id: Vec<String>,
    /// The practice.
    pub practice: Vec<String>,
    /// Whether it was seen; missing where the coach could not tell.
    pub is_used: Vec<Option<bool>>,
    /// The share of its ingredients that were seen, where it was.
    pub fidelity: Vec<Option<f64>>,
}

/// Which practices go with what teachers truly add, one row per practice.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PracticeTruth {
    /// The practice.
    pub practice: Vec<String>,
    /// Whether teachers who add more use it more often; the others are used by teachers of every kind alike.
    pub is_planted: Vec<bool>,
}

/// The practices, in the order of their names.
const PRACTICES: [&str; 20] = [
    "advance organizers",
    "choral response",
    "cold call",
    "cooperative groups",
    "data notebooks",
    "do now",
    "exit tickets",
    "fluency timings",
    "gallery walk",
    "graphic organizers",
    "learning targets",
    "math journals",
    "morning meeting",
    "number talks",
    "peer tutoring",
    "retrieval practice",
    "sentence frames",
    "think aloud",
    "word walls",
    "worked examples",
];
/// Those that were planted.
const PLANTED: [&str; 2] = ["retrieval practice", "worked examples"];
/// The chance that a planted practice is used rises with what the teacher adds: the lowest, by how much, and where and
/// how steeply; standard deviations of the outcome.
const LEAST: f64 = 0.15;
const RISE: f64 = 0.70;
const MIDDLE: f64 = 0.15;
const WIDTH: f64 = 0.08;
/// The chance of use of the others, and by how much it differs between schools.
const USUAL: (f64, f64) = (0.20, 0.55);
const BETWEEN_SCHOOLS: f64 = 0.15;
/// The chance that a teacher is never visited, and that a coach could not tell.
const NEVER_VISITED: f64 = 0.05;
const UNKNOWN: f64 = 0.06;
/// How faithfully a practice is used.
const FIDELITY: (f64, f64) = (0.45, 1.0);

/// What was seen, teachers in the order of the teams.
pub(super) fn uses(teams: &[Team], n_schools: usize, roster: &[Teacher], draw: &mut Draw) -> PracticeUses {
    let schools: Vec<usize> =
        teams.iter().flat_map(|team| std::iter::repeat_n(team.school, team.teacher_ids.len())).collect();
    let chances: Vec<(bool, f64, Vec<f64>)> = PRACTICES
        .iter()
        .map(|name| {
            let usual = draw.uniform(USUAL.0, USUAL.1);
            let by_school = (0..n_schools).map(|_| draw.uniform(-BETWEEN_SCHOOLS, BETWEEN_SCHOOLS)).collect();
            (PLANTED.contains(name), usual, by_school)
        })
        .collect();
    let mut uses = PracticeUses::default();
    for (teacher, school) in roster.iter().zip(schools) {
        let is_visited = !draw.chance(NEVER_VISITED);
        let added = teacher.effect / OUTCOME_SD;
        for (name, (is_planted, usual, by_school)) in PRACTICES.iter().zip(&chances) {
            let chance = if *is_planted {
                LEAST + RISE / (1.0 + (-(added - MIDDLE) / WIDTH).exp())
            } else {
                usual + by_school.get(school).copied().unwrap_or(0.0)
            };
            let is_used = draw.chance(chance);
            let fidelity = draw.uniform(FIDELITY.0, FIDELITY.1);
            let is_known = !draw.chance(UNKNOWN);
            if is_visited {
                uses.teacher_id.push(teacher.id.clone());
                uses.practice.push((*name).to_owned());
                uses.is_used.push(is_known.then_some(is_used));
                uses.fidelity.push((is_known && is_used).then(|| round(fidelity, 2)));
            }
        }
    }
    uses
}

pub(super) fn truth() -> PracticeTruth {
    PracticeTruth {
        practice: PRACTICES.iter().map(|name| (*name).to_owned()).collect(),
        is_planted: PRACTICES.iter().map(|name| PLANTED.contains(name)).collect(),
    }
}
