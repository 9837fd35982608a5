//! Classes that try the change against classes that do not: one value a class, then a comparison of the values.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::estimate::{Estimate, Found};
use super::notes::Notes;
use super::{Analysis, ClassStudy, Plan};
use crate::measure::StudentValue;
use crate::stats::class_contrast::{COMPARISON_MIN, Pair, TREATED_MIN, class_contrast, within_slope};
use crate::stats::step::is_constant;
use crate::stats::summary::mean;
use crate::{NoteCode, Result};

/// The students of one class who are counted.
struct Class {
    name: String,
    is_treated: bool,
    /// After, of each student.
    after: Vec<f64>,
    /// Before, of each student where the two are joined; else of whoever was there.
    before: Vec<f64>,
}

/// Compares classes; `from` is the first day of the baseline that counts.
pub(super) fn compare_classes(
    plan: &Plan,
    method: Analysis,
    students: &[StudentValue],
    from: Date,
    notes: &mut Notes<'_>,
) -> Result<(Found, Vec<ClassStudy>)> {
    let rows = Rows::new(plan, students, from, notes);
    let classes = rows.classes(plan, method, notes);
    let judged = values(method, classes, notes);
    let group = |is_treated: bool| -> Vec<f64> {
        judged.iter().filter(|class| class.is_treated == is_treated).map(|class| class.value).collect()
    };
    let (treated, comparison) = (group(true), group(false));
    let levels = |level: fn(&ClassStudy) -> Option<f64>| -> Option<f64> {
        mean(&judged.iter().filter(|class| class.is_treated).filter_map(level).collect::<Vec<_>>())
    };
    let mut found =
        Found { estimate: None, before: levels(|class| class.before), after: levels(|class| Some(class.after)) };
    if treated.len() < TREATED_MIN || comparison.len() < COMPARISON_MIN {
        notes.against(NoteCode::FewClasses, treated.len(), Some(comparison.len() as f64));
    } else if is_constant(&treated) && is_constant(&comparison) {
        notes.against(NoteCode::ZeroVariance, 0, None);
    } else {
        let contrast = class_contrast(&treated, &comparison)?;
        found.estimate = Some(Estimate {
            se: Some(contrast.se),
            df: Some(contrast.df),
            ..Estimate::new(contrast.estimate, (contrast.lo, contrast.hi), (contrast.p_above, contrast.p_below))
        });
    }
    Ok((found, judged))
}

/// One value a class: the mean after, adjusted to average scores before, or the mean gain.
fn values(method: Analysis, classes: Vec<Class>, notes: &mut Notes<'_>) -> Vec<ClassStudy> {
    let slope = if method == Analysis::Ancova {
        let pairs: Vec<Vec<Pair>> = classes
            .iter()
            .map(|class| {
                let each = class.before.iter().zip(&class.after);
                each.map(|(&before, &after)| Pair { before, after }).collect()
            })
            .collect();
        let slope = within_slope(&pairs.iter().map(Vec::as_slice).collect::<Vec<_>>());
        if slope.is_none() {
            notes.against(NoteCode::ZeroVariance, 0, None);
        }
        slope.unwrap_or(1.0)
    } else {
        1.0
    };
    let befores: Vec<f64> = classes.iter().filter_map(|class| mean(&class.before)).collect();
    // Adjusted values are those of a class with average scores; gains are plain gains.
    let center = if method == Analysis::Ancova { mean(&befores).unwrap_or(0.0) } else { 0.0 };
    classes
        .into_iter()
        .filter_map(|class| {
            let (before, after) = (mean(&class.before)?, mean(&class.after)?);
            Some(ClassStudy {
                name: class.name,
                is_treated: class.is_treated,
                n: class.after.len(),
                before: Some(before),
                after,
                value: after - slope * (before - center),
            })
        })
        .collect()
}

/// The rows of the two windows.
struct Rows<'a> {
    before: Vec<&'a StudentValue>,
    after: Vec<&'a StudentValue>,
}

impl<'a> Rows<'a> {
    fn new(plan: &Plan, students: &'a [StudentValue], from: Date, notes: &mut Notes<'_>) -> Self {
        let within = |from: Date, to: Date| -> Vec<&'a StudentValue> {
            let mut rows: Vec<&StudentValue> = students.iter().filter(|row| (from..=to).contains(&row.time)).collect();
            // Sums depend on the order of their terms in the last bit; the order of rows must decide nothing.
            let prior = |row: &StudentValue| row.prior.unwrap_or(f64::NAN);
            rows.sort_by(|a, b| {
                a.value.total_cmp(&b.value).then(prior(a).total_cmp(&prior(b))).then(a.time.cmp(&b.time))
            });
            rows
        };
        let before = within(from, plan.baseline[1]);
        let mut after = within(plan.test[0], plan.test[1]);
        // Who was taught in both kinds of classes says nothing about the difference between them.
        let seen = |is_treated: bool| -> BTreeSet<&str> {
            after.iter().filter(|row| row.is_treated == is_treated).filter_map(|row| row.student.as_deref()).collect()
        };
        let both: BTreeSet<&str> = seen(true).intersection(&seen(false)).copied().collect();
        after.retain(|row| row.student.as_deref().is_none_or(|student| !both.contains(student)));
        if !both.is_empty() {
            notes.add(NoteCode::InBothGroups, both.len(), None);
        }
        Self { before, after }
    }

    fn classes(&self, plan: &Plan, method: Analysis, notes: &mut Notes<'_>) -> Vec<Class> {
        let has_prior = plan.comparison.as_ref().is_some_and(|comparison| comparison.prior.is_some());
        if has_prior || plan.outcome.student.is_some() {
            self.paired(has_prior, notes)
        } else {
            debug_assert!(method == Analysis::DifferenceInDifferences, "the plan was checked");
            self.unpaired(notes)
        }
    }

    /// Each student's score after, joined with the same student's score before.
    fn paired(&self, has_prior: bool, notes: &mut Notes<'_>) -> Vec<Class> {
        let mut before: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for row in &self.before {
            if let Some(student) = row.student.as_deref() {
                before.entry(student).or_default().push(row.value);
            }
        }
        let mut after: BTreeMap<(&str, Student<'_>), Scores> = BTreeMap::new();
        for (i, row) in self.after.iter().enumerate() {
            let student = row.student.as_deref().map_or(Student::Row(i), Student::Id);
            let entry = after.entry((row.class.as_str(), student)).or_default();
            entry.is_treated = row.is_treated;
            entry.after.push(row.value);
            entry.prior.extend(row.prior.filter(|_| has_prior));
        }
        let mut classes: BTreeMap<&str, Class> = BTreeMap::new();
        let mut n_unpaired = 0;
        for ((name, student), scores) in after {
            let joined = match student {
                Student::Id(id) if !has_prior => before.get(id).and_then(|values| mean(values)),
                _ => mean(&scores.prior),
            };
            let Some((before, after)) = joined.zip(mean(&scores.after)) else {
                n_unpaired += 1;
                continue;
            };
            let class = classes.entry(name).or_insert_with(|| Class::new(name, scores.is_treated));
            class.before.push(before);
            class.after.push(after);
        }
        if n_unpaired > 0 {
            notes.add(NoteCode::UnpairedStudents, n_unpaired, None);
        }
        classes.into_values().collect()
    }

    /// Whoever was in the class before, and whoever was there after.
    fn unpaired(&self, notes: &mut Notes<'_>) -> Vec<Class> {
        let mut classes: BTreeMap<&str, Class> = BTreeMap::new();
        let mut class = |row: &&'a StudentValue, put: fn(&mut Class) -> &mut Vec<f64>| {
            let class = classes.entry(row.class.as_str()).or_insert_with(|| Class::new(&row.class, row.is_treated));
            put(class).push(row.value);
        };
        self.before.iter().for_each(|row| class(row, |class| &mut class.before));
        self.after.iter().for_each(|row| class(row, |class| &mut class.after));
        let n = classes.len();
        let whole: Vec<Class> =
            classes.into_values().filter(|class| !class.before.is_empty() && !class.after.is_empty()).collect();
        if whole.len() < n {
            notes.add(NoteCode::ClassesLeftOut, n - whole.len(), None);
        }
        whole
    }
}

impl Class {
    fn new(name: &str, is_treated: bool) -> Self {
        Self { name: name.to_owned(), is_treated, after: vec![], before: vec![] }
    }
}

/// Whose row it is; without an id every row is a student.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Student<'a> {
    Id(&'a str),
    Row(usize),
}

#[derive(Default)]
struct Scores {
    is_treated: bool,
    after: Vec<f64>,
    prior: Vec<f64>,
}
