//! A seeded school district with planted truths.
//!
//! No microdata of a real district may be published, and real data do not say which teacher is truly effective or which
//! series truly changed. So the district is made up, and what was planted is part of the result: any method can be asked
//! whether it finds what is there, and whether it finds what is not.
//!
//! Every number comes from one `ChaCha8` generator, started from a seed, with a stream of its own for each part, so that
//! a change to one part leaves the others as they were. Within one version of the crate, the same seed and the same spec
//! give the same bytes. Scores are whole points and the rest are counts or rounded, so nothing hangs on a last bit.
//!
//! What is planted, for the default sizes (all of it is listed in [`Truth`]):
//!
//! | where | what |
//! |---|---|
//! | `scores` | 15 of 300 teachers add some .35 to .60 standard deviations in every year; one adds .80 in a single year |
//! | `attendance` | three schools shift, two for the better, one for the worse; the others are stable |
//! | `incidents` | one school's rate falls by half; in another only the student-days fall, not the rate |
//! | `exit_tickets` | one team gains 4 points after its change, another tries a change that does nothing |
//! | `fluency` | nothing changes: the guard measure of the same two teams |
//! | `practices` | two of twenty practices are used more often by teachers who add more; the others by all alike |
//! | `process` | both teams do what they planned: the routine is used in .10 of lessons before, in .80 after |
//!
//! Students are sorted into schools and classes by last year's score and by family income, so raw means of classes
//! mislead. They are sorted by nothing else: given `prior`, `frl` and `el`, a comparison of teachers is fair.

mod calendar;
mod draw;
mod people;
mod practices;
mod scores;
mod spec;
mod table;
mod team;
mod truth;
mod weekly;

use serde::{Deserialize, Serialize};

use crate::Result;

pub use people::{Teachers, UnitKind, Units};
pub use practices::{PracticeTruth, PracticeUses};
pub use scores::{OUTCOME_SD, Scores};
pub use spec::DistrictSpec;
pub use table::{Column, Table};
pub use team::{Process, TeamScores};
pub use truth::{SeriesTruth, TeacherKind, TeacherTruth, Truth};
pub use weekly::{Attendance, Incidents};

use draw::{Draw, Stream};

/// A synthetic district: its tables, one struct of columns each, and what was planted in them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct District {
    /// The sizes it was made with.
    pub spec: DistrictSpec,
    /// The seed it was made from.
    pub seed: u64,
    /// The tree of places.
    pub units: Units,
    /// Who teaches where.
    pub teachers: Teachers,
    /// Students' scores, one row per student and year.
    pub scores: Scores,
    /// Absence, one row per school and week of the last school year.
    pub attendance: Attendance,
    /// Incidents, one row per school and week of the last school year.
    pub incidents: Incidents,
    /// Two teams' exit tickets around a change, one row per class and date; mean points of 20.
    pub exit_tickets: TeamScores,
    /// The same teams' guard measure, on the same dates: arithmetic facts a minute.
    pub fluency: TeamScores,
    /// How often the same teams used the routine, one row per class and week.
    pub process: Process,
    /// Which teacher uses which practice, as coaches saw it.
    pub practices: PracticeUses,
    /// What is true, and no method may see.
    pub truth: Truth,
}

/// The default district of a seed: 12 schools, 60 teams, 300 teachers and some 7,000 students in each of two years.
///
/// # Errors
///
/// None that the default sizes can cause; [`crate::Error::Numerical`] if a distribution could not be set up.
///
/// # Example
///
/// ```
/// let district = brightspot::synthetic::district(1)?;
/// assert_eq!(district.teachers.teacher_id.len(), 300);
/// assert_eq!(district.truth.teachers.is_planted.iter().filter(|&&planted| planted).count(), 15);
/// assert_eq!(district, brightspot::synthetic::district(1)?);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn district(seed: u64) -> Result<District> {
    DistrictSpec::default().build(seed)
}

impl DistrictSpec {
    /// The district of these sizes and this seed.
    ///
    /// # Errors
    ///
    /// [`crate::Error::InvalidOption`] for sizes that [`DistrictSpec::validate`] refuses.
    pub fn build(&self, seed: u64) -> Result<District> {
        self.validate()?;
        let mut order = Draw::new(seed, Stream::Roles);
        let schools = people::schools(self, &mut Draw::new(seed, Stream::Schools), &mut order);
        let (units, teams) = people::teams(self, &schools);
        let roster = truth::roster(self, &teams, &schools, &mut Draw::new(seed, Stream::Teachers));
        let (scores, enrolment) =
            scores::generate(self, &schools, &teams, &roster, &mut Draw::new(seed, Stream::Students));
        let mut series = SeriesTruth::default();
        let attendance = weekly::attendance(
            self,
            &schools,
            &enrolment,
            &mut series,
            &mut Draw::new(seed, Stream::Enrolment),
            &mut Draw::new(seed, Stream::Attendance),
        )?;
        let incidents =
            weekly::incidents(self, &schools, &attendance, &mut series, &mut Draw::new(seed, Stream::Incidents))?;
        let (exit_tickets, fluency, process) =
            team::generate(&teams, &mut order, &mut series, &mut Draw::new(seed, Stream::Team))?;
        Ok(District {
            spec: *self,
            seed,
            units,
            teachers: people::teachers(&teams),
            scores,
            attendance,
            incidents,
            exit_tickets,
            fluency,
            process,
            practices: practices::uses(&teams, schools.len(), &roster, &mut Draw::new(seed, Stream::Practices)),
            truth: Truth { teachers: truth::of_teachers(&roster), series, practices: practices::truth() },
        })
    }
}
