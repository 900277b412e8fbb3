//! What is done with locks and events, for any library that has them, and the table of what it costs.

pub mod contender;
pub mod events;
pub mod locks;
pub mod measure;
pub mod table;
