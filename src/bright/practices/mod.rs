//! From rooms to practices: what do bright rooms share that matched ordinary rooms lack?
//!
//! For every practice the difference between units that use it and units that do not, in the model of the search
//! itself: the same outcome, conditions, groups and periods. What comes of it are associations found by looking, not
//! findings of a test; those that stand out are worth a test of their own, in rooms that do not use the practice yet.

mod associate;
mod family;
mod inseparable;
mod moments;
mod result;
mod spec;
mod uses;

pub use moments::UnitMoments;
pub use result::{PracticeFinding, PracticePeriod, PracticeRow, Practices};
pub use spec::{PracticeSpec, PracticeUse};
pub use uses::{Combine, UseRows};

use crate::{Error, Note, NoteCode, Result};

use super::result::BrightSpots;
use associate::associate;

/// Looks for practices that bright rooms share.
///
/// outcome = conditions (and period) + b use + groups + unit + unit in period + error, one practice at a time, by
/// restricted maximum likelihood; `use` is 1 for units that use the practice and 0 for those that do not, or the
/// fidelity with which they do; units whose use is not known are left out of that practice's model. The error of b comes
/// with Satterthwaite's degrees of freedom. Over practices: a law of effects with a point at zero is fitted to the
/// estimates, each practice gets P(b > 0), and the candidates are the largest set whose expected share of false ones is
/// at most `fdr`, with P >= `min_prob`, a Benjamini-Hochberg q-value of at most `fdr` as well, and a sign that no single
/// period decides.
///
/// # Errors
/// [`Error::InvalidOption`] for a criterion out of range; [`Error::InvalidValue`] for practices with the same name, a
/// use outside of \[0, 1\], or of another number of units than `spots` has.
///
/// # Notes
/// `association_only`, `unknown_use`, `few_users`, `confounded_use`, `inseparable`, `few_practices`.
///
/// # Reference
/// Bradley et al. (2009, Implement. Sci. 4:25) for the step from positive deviants to practices; Stephens (2017,
/// Biostatistics 18:275) for the law of effects; Benjamini & Hochberg (1995, JRSS B 57:289).
pub fn practices(
    spots: &BrightSpots,
    moments: &UnitMoments,
    uses: &[PracticeUse],
    spec: &PracticeSpec,
) -> Result<Practices> {
    spec.validate()?;
    check(spots, uses)?;
    let mut order: Vec<&PracticeUse> = uses.iter().collect();
    order.sort_by(|a, b| a.name.cmp(&b.name));
    let mut notes = Vec::new();
    let mut rows = Vec::with_capacity(order.len());
    for practice in &order {
        let (row, caveats) = associate(spots, moments, practice, spec)?;
        rows.push(row);
        notes.extend(caveats);
    }
    let n_unknown: usize = rows.iter().map(|row| row.n_unknown).sum();
    if n_unknown > 0 {
        notes.push(Note::new(NoteCode::UnknownUse, n_unknown));
    }
    family::judge(&mut rows, spec)?;
    let pairs = inseparable::pairs(&order, &rows);
    notes.extend(pairs.iter().map(|pair| pair.note(&order)));
    inseparable::mark(&mut rows, &pairs);
    let n_judged = rows.iter().filter(|row| row.finding != PracticeFinding::Insufficient).count();
    if (1..spec::FEW_PRACTICES).contains(&n_judged) {
        notes.push(Note::new(NoteCode::FewPractices, n_judged));
    }
    notes.insert(0, Note::new(NoteCode::AssociationOnly, n_judged));
    Ok(Practices::new(spots, spec, rows, notes))
}

fn check(spots: &BrightSpots, uses: &[PracticeUse]) -> Result<()> {
    for (position, practice) in uses.iter().enumerate() {
        let wrong = |found: String, remedy: &str| Error::InvalidValue {
            what: format!("the use of {:?}", practice.name),
            found,
            remedy: remedy.into(),
        };
        if uses.iter().take(position).any(|earlier| earlier.name == practice.name) {
            return Err(wrong("given twice".into(), "give every practice a name of its own"));
        }
        if practice.dose.len() != spots.units.len() {
            return Err(wrong(
                format!("{} values for {} units", practice.dose.len(), spots.units.len()),
                "give one value for every unit, in the order of the units",
            ));
        }
        if let Some(dose) = practice.dose.iter().flatten().find(|d| !(0.0..=1.0).contains(*d)) {
            return Err(wrong(dose.to_string(), "give 0 to 1: not used to used in full"));
        }
    }
    Ok(())
}
