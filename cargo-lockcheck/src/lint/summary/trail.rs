//! Where a caller finds what a callee does: the calls on the way to it, and the threads started there.

use crate::lint::program::BodyId;

/// A block of a body whose end leads further, or is where the thing itself happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) body: BodyId,
    pub(crate) block: u32,
    /// Whether what follows runs on a thread or task of its own, that the block starts.
    pub(crate) starts: bool,
}

/// The steps to a thing, from the body that asks about it inwards.
pub(crate) type Trail = Vec<Step>;

/// The body that the thread runs on which the thing happens; none where that is the asking body's own.
pub(crate) fn thread(trail: &Trail) -> Option<BodyId> {
    let start = trail.iter().rposition(|step| step.starts)?;
    trail.get(start + 1).map(|step| step.body)
}
