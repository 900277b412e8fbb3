//! What is where in one body: which object a place is, what class it has, where control goes, and which
//! guards are alive.

pub(crate) mod alias;
pub(crate) mod class_of;
pub(crate) mod flow;
pub(crate) mod guards;
