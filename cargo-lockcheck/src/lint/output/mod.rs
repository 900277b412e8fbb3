//! What becomes of the lint's findings beside the report: an editor is told of them.

pub mod messages;
