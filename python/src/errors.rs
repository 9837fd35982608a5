//! From the core's error to the Python exception.

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The orphan rule asks for a type of our own: with it, `?` works across both worlds.
#[derive(Debug)]
pub(crate) enum BindingError {
    Core(brightspot::Error),
    Python(PyErr),
}

pub(crate) type Result<T> = std::result::Result<T, BindingError>;

impl From<brightspot::Error> for BindingError {
    fn from(error: brightspot::Error) -> Self {
        Self::Core(error)
    }
}

impl From<PyErr> for BindingError {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<pythonize::PythonizeError> for BindingError {
    fn from(error: pythonize::PythonizeError) -> Self {
        Self::Python(error.into())
    }
}

impl From<BindingError> for PyErr {
    fn from(error: BindingError) -> Self {
        match error {
            BindingError::Python(error) => error,
            BindingError::Core(brightspot::Error::Interrupted) => {
                pyo3::exceptions::PyKeyboardInterrupt::new_err(brightspot::Error::Interrupted.to_string())
            }
            BindingError::Core(error) => Python::attach(|py| exception(py, &error).unwrap_or_else(|failure| failure)),
        }
    }
}

fn exception(py: Python<'_>, error: &brightspot::Error) -> PyResult<PyErr> {
    let fields = pythonize::pythonize(py, error).map_err(PyErr::from)?;
    let make = py.import("brightspot.exceptions")?.getattr("from_core")?;
    Ok(PyErr::from_value(make.call1((error.to_string(), fields))?))
}

/// An argument of the Python face as a request of the core; what does not fit is an invalid option.
pub(crate) fn request<T: serde::de::DeserializeOwned>(arguments: &Bound<'_, PyDict>) -> Result<T> {
    let mut deserializer = pythonize::Depythonizer::from_object(arguments);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let (option, value) = blamed(arguments, &path);
        let found =
            value.and_then(|value| value.repr().ok()).map_or_else(|| "this".to_owned(), |text| text.to_string());
        brightspot::Error::option(&option, found, allowed(&error.into_inner().to_string())).into()
    })
}

/// The argument that a path like `spec.min_n` blames, and its value. Criteria travel in a record of their own, and a
/// choice with a value as {"given": value}: the user knows neither.
fn blamed<'py>(arguments: &Bound<'py, PyDict>, path: &str) -> (String, Option<Bound<'py, PyAny>>) {
    let mut option = path.to_owned();
    let mut value = Some(arguments.clone().into_any());
    for part in path.split(['.', '[', ']']).filter(|part| !part.is_empty()) {
        match value
            .as_ref()
            .and_then(|value| value.cast::<PyDict>().ok())
            .and_then(|dict| dict.get_item(part).ok().flatten())
        {
            Some(inner) => {
                value = Some(inner);
                if part != "given" {
                    part.clone_into(&mut option);
                }
            }
            None => break,
        }
    }
    let given = value.as_ref().and_then(|value| value.cast::<PyDict>().ok()?.get_item("given").ok().flatten());
    (option, given.or(value))
}

/// What is allowed, as words that follow "it must be".
fn allowed(problem: &str) -> String {
    if problem.contains("OverflowError") {
        return "a whole number that is neither negative nor huge".into();
    }
    if problem.contains("interpreted as an integer") {
        return "a whole number".into();
    }
    if problem.contains("real number") {
        return "a number".into();
    }
    let problem = brightspot::record::plainly(problem);
    // "unknown word `x`, expected `a` or `b`": what is allowed stands last.
    let allowed = problem.rsplit_once("expected ").map_or(problem.as_str(), |(_, allowed)| allowed);
    match allowed.strip_prefix("TypeError: ") {
        Some(_) => "of another type".into(),
        None => allowed.to_owned(),
    }
}

/// Raise the error of a missing column, worded by the core.
#[pyfunction]
pub(crate) fn check_column(columns: Vec<String>, name: String) -> PyResult<()> {
    if columns.contains(&name) {
        return Ok(());
    }
    Err(BindingError::from(brightspot::Error::ColumnMissing { column: name, available: columns }).into())
}
