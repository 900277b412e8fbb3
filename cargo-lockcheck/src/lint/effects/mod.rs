//! What each body does to locks, and what its callers must know of that, callees before callers.
//!
//! Each call or drop becomes [`effect`]s ([`call`], `drops`), those of a callee by its summary
//! (`instantiate`). With the guards that are alive there they become the [`events`] that the rules look
//! at, and the body's own summary (`analyze`, `summarize`). [`analyzed`] is all of it.

mod analyze;
pub(crate) mod analyzed;
mod call;
mod callers;
mod drops;
pub(crate) mod effect;
pub(crate) mod events;
mod handed_in;
mod instantiate;
mod summarize;
