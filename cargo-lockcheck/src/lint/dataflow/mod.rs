//! What is where in one body: which object a place is, what class it has, where control goes, and which
//! guards are alive.

pub(crate) mod attempts;
mod canonical;
pub(crate) mod class_of;
mod coroutine;
pub(crate) mod facts;
pub(crate) mod fixed;
pub(crate) mod flow;
mod folded;
pub(crate) mod guards;
mod handles;
mod homes;
pub(crate) mod ownership;
mod picks;
mod refine;
pub(crate) mod tokens;
pub(crate) mod view;
