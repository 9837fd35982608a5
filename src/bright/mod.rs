//! bright
