//! Pooling over sites.

mod metafor;
mod properties;
mod simulation;
