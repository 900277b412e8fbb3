//! The declared order: the derive, the declarations of statics, and what is checked in a function.

mod chains;
mod derive;
mod locks;
mod statics;

pub(crate) use derive::expand as derive;
pub(crate) use locks::expand as locks;
pub(crate) use statics::{order, rank};
