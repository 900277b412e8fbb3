//! What each body does to locks, callees before callers.

pub(crate) mod analyze;
pub(crate) mod call;
