//! What a signal is (on slices), and what it means given a direction.

mod meaning;

pub use meaning::Meaning;
