//! What is known of functions that are not in the program.

pub(crate) mod closures;
pub(crate) mod locks;
