//! Plain values that all rooms use: without a `static`, and without a rule of when what is reported.

pub mod finding;
pub(crate) mod held;
pub(crate) mod ids;
pub(crate) mod inventory;
pub(crate) mod lock;
pub(crate) mod stack;
pub(crate) mod tag;
pub(crate) mod times;
pub(crate) mod word;
