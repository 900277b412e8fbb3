//! What becomes of the lint's findings: those that comments allow are taken out, and an editor is told
//! of the others.

pub mod messages;
pub(crate) mod suppress;
