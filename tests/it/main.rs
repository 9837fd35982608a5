//! One binary for all integration tests of the core.
mod bright;
mod mixed;
mod mixed_lme4;
