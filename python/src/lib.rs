//! The Python binding: thin. It converts arguments, releases the GIL around the work, and turns the core's errors into
//! the exceptions of `brightspot.exceptions`.

// Arguments come from Python by value, one for each of the Python function.
#![allow(clippy::needless_pass_by_value, clippy::too_many_arguments)]

mod bright;
mod charts;
mod cycles;
mod datasets;
mod drift;
mod errors;
mod funnel;
mod growth;
mod learning;
mod mixed;
mod notes;
mod pool;
mod practices;
mod records;
mod variants;
mod work;

/// The compiled part of brightspot; use the functions of `brightspot` instead.
#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use crate::bright::{BrightSpots, bright_spots};
    #[pymodule_export]
    use crate::charts::{chart, contrast, false_signals, propose_phases, rule_sets};
    #[pymodule_export]
    use crate::cycles::{Journal, practice_life, study};
    #[pymodule_export]
    use crate::datasets::district;
    #[pymodule_export]
    use crate::drift::value_added;
    #[pymodule_export]
    use crate::errors::check_column;
    #[pymodule_export]
    use crate::funnel::funnel;
    #[pymodule_export]
    use crate::growth::growth_percentiles;
    #[pymodule_export]
    use crate::learning::{calibration, ramp, size_of_test};
    #[pymodule_export]
    use crate::mixed::{MixedModel, Moments, mixed_model, mixed_moments};
    #[pymodule_export]
    use crate::pool::pool;
    #[pymodule_export]
    use crate::practices::{Practices, practices};
    #[pymodule_export]
    use crate::records::{check, note};
    #[pymodule_export]
    use crate::variants::{VariantModel, mixed_variant};

    /// The version of the compiled core.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// Whether this build knows `PostgreSQL`.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const has_postgres: bool = cfg!(feature = "postgres");
}
