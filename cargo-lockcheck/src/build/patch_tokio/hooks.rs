//! Where `tokio` finds what its rewritten sources call: in the crate of ours that it takes for `tracing`.

/// The module, as a path that something may follow.
pub(super) const HOOKS: &str = "::tracing::lockcheck::";
