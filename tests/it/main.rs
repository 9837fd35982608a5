//! One binary for all integration tests of the core.

mod synthetic;
mod mixed;
mod step;
