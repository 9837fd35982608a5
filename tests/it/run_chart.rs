//! run chart
