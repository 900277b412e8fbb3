//! The orders of locks that the program shows and declares, and what keeps threads from meeting in
//! them.

pub(crate) mod declarations;
pub(crate) mod edges;
pub(crate) mod exclusion;
pub(crate) mod in_force;
pub(crate) mod meeting;
pub(crate) mod names;
mod opening;
mod runs;
pub(crate) mod threads;
