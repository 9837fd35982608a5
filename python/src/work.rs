//! Long work: without the GIL, and stopped by Ctrl-C.

use brightspot::{Error, Result};
use pyo3::prelude::*;

/// Do the work while other Python threads run.
pub(crate) fn released<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    py.detach(work)
}

/// A look at whether the user pressed Ctrl-C; the core calls it between blocks of work.
#[allow(clippy::redundant_closure_for_method_calls)] // The method itself is not general enough over its lifetime.
pub(crate) fn interruptible(_done: usize, _total: usize) -> Result<()> {
    Python::attach(|py| py.check_signals()).map_err(|_| Error::Interrupted)
}
