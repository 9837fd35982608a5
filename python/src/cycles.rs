//! Studies and the journal.

use std::sync::{Mutex, MutexGuard, PoisonError};

use brightspot::cycle::{Adoption, Choice, Cycle, Doing, Plan, Practice, PracticeRules, Study, StudyContext};
use brightspot::frame::{PlanFrames, plan_series};
use brightspot::journal;
use brightspot::record::{Stamp, check_as, parse_timestamp};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_polars::PyDataFrame;
use serde::Serialize;

use crate::errors::Result;
use crate::work::released;

type Object<'py> = Bound<'py, PyAny>;

pub(crate) fn from_python<T: brightspot::record::Record>(data: &Object<'_>) -> Result<T> {
    Ok(check_as(&pythonize::depythonize(data)?)?)
}

pub(crate) fn to_python<'py>(py: Python<'py>, data: &impl Serialize) -> Result<Object<'py>> {
    Ok(pythonize::pythonize(py, data)?)
}

fn day(text: &str) -> Result<jiff::civil::Date> {
    text.parse()
        .map_err(|_| brightspot::Error::option("as_of", format!("{text:?}"), "a date like \"2026-11-20\"").into())
}

/// One frame has no name; several have those of their measures.
fn plan_frames(frames: Vec<(Option<String>, PyDataFrame)>) -> PlanFrames {
    let mut each = vec![];
    for (name, frame) in frames {
        match name {
            Some(name) => each.push((name, frame.0)),
            None => return PlanFrames::One(frame.0),
        }
    }
    PlanFrames::Each(each)
}

/// Study a plan.
#[pyfunction]
#[pyo3(signature = (plan, frames, as_of, *, locked_at, doing, earlier, learned))]
pub(crate) fn study<'py>(
    py: Python<'py>,
    plan: &Object<'py>,
    frames: Vec<(Option<String>, PyDataFrame)>,
    as_of: &str,
    locked_at: Option<&str>,
    doing: Option<&Object<'py>>,
    earlier: Vec<Object<'py>>,
    learned: String,
) -> Result<Object<'py>> {
    let plan: Plan = from_python(plan)?;
    let doing: Option<Doing> = doing.map(from_python).transpose()?;
    let earlier: Vec<Study> = earlier.iter().map(from_python).collect::<Result<_>>()?;
    let context = StudyContext {
        locked_at: locked_at.map(parse_timestamp).transpose()?,
        doing: doing.as_ref(),
        earlier: &earlier,
        learned,
        ..StudyContext::new(day(as_of)?)
    };
    let frames = plan_frames(frames);
    let study =
        released(py, || brightspot::cycle::study(&plan, &plan_series(&plan, &frames, context.as_of)?, &context))?;
    to_python(py, &study)
}

/// How far a practice has come by a day: each version of its record with the day since when it holds, or none.
#[pyfunction]
pub(crate) fn practice_life<'py>(
    py: Python<'py>,
    versions: Vec<(Option<String>, Object<'py>)>,
    cycles: Vec<Object<'py>>,
    adoptions: Vec<Object<'py>>,
    rules: &Object<'py>,
    as_of: &str,
) -> Result<Object<'py>> {
    let versions: Vec<(jiff::civil::Date, Practice)> = versions
        .iter()
        .map(|(since, practice)| {
            Ok((since.as_deref().map_or(Ok(jiff::civil::Date::MIN), day)?, from_python(practice)?))
        })
        .collect::<Result<_>>()?;
    let cycles: Vec<Cycle> = cycles.iter().map(from_python).collect::<Result<_>>()?;
    let adoptions: Vec<Adoption> = adoptions.iter().map(from_python).collect::<Result<_>>()?;
    let rules: PracticeRules = from_python(rules)?;
    let as_of = day(as_of)?;
    let found = released(py, || brightspot::cycle::practice_life(&versions, &cycles, &adoptions, &rules, as_of))?;
    to_python(py, &found)
}

/// A journal: a file, or the tables of a database.
#[pyclass(frozen, module = "brightspot._core")]
#[derive(Debug)]
pub(crate) struct Journal {
    // None once it is closed.
    open: Mutex<Option<journal::Journal>>,
    place: String,
}

impl Journal {
    fn of(journal: journal::Journal) -> Self {
        let place = journal.place().to_owned();
        Self { open: Mutex::new(Some(journal)), place }
    }

    fn locked(&self) -> MutexGuard<'_, Option<journal::Journal>> {
        // A panic cannot leave a transaction half done: the database rolls it back.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, work: impl FnOnce(&mut journal::Journal) -> brightspot::Result<T>) -> brightspot::Result<T> {
        match self.locked().as_mut() {
            Some(journal) => work(journal),
            None => Err(brightspot::Error::Store {
                path: self.place.clone(),
                problem: "it is closed".into(),
                remedy: "open it again with Journal(path)".into(),
            }),
        }
    }

    fn move_on<'py>(
        &self,
        py: Python<'py>,
        work: impl FnOnce(&mut journal::Journal) -> brightspot::Result<Cycle> + Send,
    ) -> Result<Object<'py>> {
        let cycle = released(py, || self.with(work))?;
        to_python(py, &cycle)
    }
}

fn choice(word: &str) -> Result<Choice> {
    word.parse().map_err(|_| {
        let words: Vec<_> = Choice::ALL.iter().map(|choice| choice.as_str()).collect();
        brightspot::Error::option("chosen", format!("{word:?}"), format!("one of {}", words.join(", "))).into()
    })
}

fn stamp(by: String, at: &str, version: Option<u64>) -> Result<Stamp> {
    if by.trim().is_empty() {
        return Err(
            brightspot::Error::option("by", format!("{by:?}"), "the name or role of whoever makes the move").into()
        );
    }
    Ok(Stamp { by, at: parse_timestamp(at)?, expected: version })
}

/// A moment of the past, as the Python face gives it.
fn moment(text: &str) -> brightspot::Result<jiff::Timestamp> {
    text.parse()
        .map_err(|_| brightspot::Error::option("as_of", format!("{text:?}"), "a date or a moment with its zone"))
}

fn filed_dict<'py>(py: Python<'py>, filed: &journal::Filed) -> Result<Bound<'py, PyDict>> {
    let data = PyDict::new(py);
    data.set_item("id", &filed.id)?;
    data.set_item("kind", &filed.kind)?;
    data.set_item("version", filed.version)?;
    data.set_item("supersedes", filed.supersedes)?;
    data.set_item("by", &filed.by)?;
    data.set_item("at", filed.at.to_string())?;
    data.set_item("record", to_python(py, &filed.known())?)?;
    Ok(data)
}

#[pymethods]
impl Journal {
    #[new]
    fn new(py: Python<'_>, path: String) -> Result<Self> {
        Ok(Self::of(released(py, || journal::Journal::open(&path))?))
    }

    /// Read a folder of JSON into a journal.
    #[staticmethod]
    fn restore(py: Python<'_>, folder: &str, path: &str) -> Result<Self> {
        Ok(Self::of(released(py, || journal::Journal::restore(folder, path))?))
    }

    /// The path, or the URL without its password.
    #[getter]
    fn place(&self) -> &str {
        &self.place
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| *self.locked() = None);
    }

    fn export(&self, py: Python<'_>, folder: &str) -> Result<u64> {
        Ok(released(py, || self.with(|journal| journal.export(folder)))?)
    }

    /// File a record: returns id, kind, version, supersedes, by, at, record.
    fn add<'py>(
        &self,
        py: Python<'py>,
        id: &str,
        kind: &str,
        data: &Object<'py>,
        by: String,
        at: &str,
        version: Option<u64>,
    ) -> Result<Bound<'py, PyDict>> {
        let (data, stamp) = (pythonize::depythonize(data)?, stamp(by, at, version)?);
        let filed = released(py, || self.with(|journal| journal.add(id, kind, data, &stamp)))?;
        filed_dict(py, &filed)
    }

    fn record<'py>(&self, py: Python<'py>, id: &str, as_of: Option<&str>) -> Result<Bound<'py, PyDict>> {
        let as_of = as_of.map(moment).transpose()?;
        filed_dict(py, &released(py, || self.with(|journal| journal.record(id, as_of)))?)
    }

    fn records<'py>(&self, py: Python<'py>, kind: &str, as_of: Option<&str>) -> Result<Vec<Bound<'py, PyDict>>> {
        let as_of = as_of.map(moment).transpose()?;
        let filed = released(py, || self.with(|journal| journal.records(kind, as_of)))?;
        filed.iter().map(|filed| filed_dict(py, filed)).collect()
    }

    fn draft<'py>(&self, py: Python<'py>, id: &str, plan: &Object<'py>, by: String, at: &str) -> Result<Object<'py>> {
        let (plan, stamp) = (from_python::<Plan>(plan)?, stamp(by, at, None)?);
        self.move_on(py, |journal| journal.draft(id, plan, &stamp))
    }

    fn lock<'py>(&self, py: Python<'py>, id: &str, by: String, at: &str, version: Option<u64>) -> Result<Object<'py>> {
        let stamp = stamp(by, at, version)?;
        self.move_on(py, |journal| journal.lock(id, &stamp))
    }

    fn amend<'py>(
        &self,
        py: Python<'py>,
        id: &str,
        note: &str,
        by: String,
        at: &str,
        version: Option<u64>,
    ) -> Result<Object<'py>> {
        let stamp = stamp(by, at, version)?;
        self.move_on(py, |journal| journal.amend(id, note, &stamp))
    }

    fn start<'py>(&self, py: Python<'py>, id: &str, by: String, at: &str, version: Option<u64>) -> Result<Object<'py>> {
        let stamp = stamp(by, at, version)?;
        self.move_on(py, |journal| journal.start(id, &stamp))
    }

    #[pyo3(name = "do")]
    fn do_<'py>(
        &self,
        py: Python<'py>,
        id: &str,
        doing: &Object<'py>,
        by: String,
        at: &str,
        version: Option<u64>,
    ) -> Result<Object<'py>> {
        let (doing, stamp) = (from_python::<Doing>(doing)?, stamp(by, at, version)?);
        self.move_on(py, |journal| journal.do_(id, doing, &stamp))
    }

    fn study<'py>(
        &self,
        py: Python<'py>,
        id: &str,
        frames: Vec<(Option<String>, PyDataFrame)>,
        as_of: &str,
        learned: &str,
        by: String,
        at: &str,
        version: Option<u64>,
    ) -> Result<Object<'py>> {
        let (as_of, stamp, frames) = (day(as_of)?, stamp(by, at, version)?, plan_frames(frames));
        let study = released(py, || {
            self.with(|journal| {
                let plan = journal.cycle(id)?.plan;
                let series = plan_series(&plan, &frames, as_of)?;
                journal.study(id, &series, as_of, learned, &stamp)
            })
        })?;
        to_python(py, &study)
    }

    fn decide<'py>(
        &self,
        py: Python<'py>,
        id: &str,
        chosen: &str,
        reason: &str,
        by: String,
        at: &str,
        version: Option<u64>,
    ) -> Result<Object<'py>> {
        let (chosen, stamp) = (choice(chosen)?, stamp(by, at, version)?);
        self.move_on(py, |journal| journal.decide(id, chosen, reason, &stamp))
    }

    fn cancel<'py>(
        &self,
        py: Python<'py>,
        id: &str,
        reason: &str,
        by: String,
        at: &str,
        version: Option<u64>,
    ) -> Result<Object<'py>> {
        let stamp = stamp(by, at, version)?;
        self.move_on(py, |journal| journal.cancel(id, reason, &stamp))
    }

    fn cycle<'py>(&self, py: Python<'py>, id: &str, as_of: Option<&str>) -> Result<Object<'py>> {
        let as_of = as_of.map(moment).transpose()?;
        self.move_on(py, |journal| journal.cycle_at(id, as_of))
    }

    fn cycles<'py>(&self, py: Python<'py>, as_of: Option<&str>) -> Result<Object<'py>> {
        let as_of = as_of.map(moment).transpose()?;
        let cycles = released(py, || self.with(|journal| journal.cycles_at(as_of)))?;
        to_python(py, &cycles)
    }

    /// The events of a record, or of all: dicts of seq, record, kind, version, at, by, payload, hash.
    fn history<'py>(&self, py: Python<'py>, id: Option<&str>) -> Result<Vec<Bound<'py, PyDict>>> {
        let entries =
            released(py, || self.with(|journal| id.map_or_else(|| journal.events(), |id| journal.history(id))))?;
        entries
            .iter()
            .map(|entry| {
                let event = PyDict::new(py);
                event.set_item("seq", entry.seq)?;
                event.set_item("record", &entry.record)?;
                event.set_item("kind", &entry.kind)?;
                event.set_item("version", entry.version)?;
                event.set_item("at", entry.at.to_string())?;
                event.set_item("by", &entry.by)?;
                event.set_item("payload", to_python(py, &entry.payload)?)?;
                event.set_item("hash", &entry.hash)?;
                Ok(event)
            })
            .collect()
    }

    fn verify(&self, py: Python<'_>) -> Result<u64> {
        Ok(released(py, || self.with(|journal| journal.verify()))?)
    }

    fn head(&self, py: Python<'_>) -> Result<Option<String>> {
        Ok(released(py, || self.with(|journal| journal.head()))?)
    }
}
