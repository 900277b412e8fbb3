//! What a caller must know of a body: which locks it takes, what it returns, what it waits for.

use std::collections::HashSet;
use std::sync::Arc;

use super::locks::{Blocking, Waiting};
use super::program::BodyId;
use super::values::Path;
use crate::model::Mode;

/// Most that one summary lists of a kind; what is beyond is not seen by callers.
pub(super) const LIMIT: usize = 96;

/// How many calls deep an acquisition is reported to callers.
pub(super) const DEPTH: usize = 8;

/// What a body returns, in terms of its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Returned {
    /// A reference to, or handle of, this object.
    Path(Path),
    /// A value made of these.
    Fields(Vec<Option<Path>>),
}

/// A place in the program: the body and where in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Location {
    /// The body's path.
    pub(super) function: Arc<str>,
    /// The file.
    pub(super) file: Arc<str>,
    /// The line, from one.
    pub(super) line: u32,
    /// The column, from one.
    pub(super) column: u32,
    /// Whether the body hands a guard to its caller: the caller is then the place of interest.
    pub(super) is_accessor: bool,
}

/// A chain of calls to something, outermost first; the last is the thing itself.
pub(super) type Chain = Vec<Location>;

/// A lock as a body uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LockUse {
    /// The lock.
    pub(super) path: Path,
    /// The class, when the path tells it.
    pub(super) class: Option<super::classes::Class>,
    /// The lock's type, as printed; nothing where it is a constant whose type is not.
    pub(super) ty: Arc<str>,
    /// Shared or not.
    pub(super) mode: Mode,
    /// Whether it waits.
    pub(super) wait: Waiting,
    /// Whether it is a lock of tasks.
    pub(super) is_async: bool,
    /// Whether it names its level among locks of its class.
    pub(super) is_nested: bool,
    /// Who takes it.
    pub(super) origin: Origin,
}

/// Who takes a lock that a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The body, or what it calls.
    Taken,
    /// Its caller, which hands the guard in and alone knows the lock. The type is the guard's.
    HandedIn,
}

impl LockUse {
    /// Whether it stands for a lock whose guard a caller hands in; only the caller knows the lock.
    pub(super) fn is_handed_in(&self) -> bool {
        self.origin == Origin::HandedIn
    }
}

/// An acquisition by a body or by what it calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Acquired {
    /// What is taken.
    pub(super) lock: LockUse,
    /// The calls to it.
    pub(super) chain: Chain,
    /// The parameters whose guards are no longer held by then, as bits.
    pub(super) released: u64,
    /// The type whose `Drop` takes it, when a drop leads to it.
    pub(super) dropped: Option<Arc<str>>,
}

/// A wait for something else than a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    /// What is waited for.
    pub(super) what: Blocking,
    /// The calls to it.
    pub(super) chain: Chain,
    /// The parameters whose guards are no longer held by then, as bits.
    pub(super) released: u64,
}

/// Code that a body runs and does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Foreign {
    /// What wakes a task.
    Waker,
    /// A future of a type that only the caller knows, or of none that is known.
    Future,
    /// What a function pointer leads to.
    Pointer,
    /// A method of a trait object.
    TraitObject,
    /// A closure of a type that only the caller knows.
    Closure,
}

impl Foreign {
    /// What is called, after "calls".
    pub(super) fn describe(self) -> &'static str {
        match self {
            Foreign::Waker => "a waker",
            Foreign::Future => "a future",
            Foreign::Pointer => "a function pointer",
            Foreign::TraitObject => "a trait object",
            Foreign::Closure => "a closure of the caller",
        }
    }
}

/// A call of code that the caller passes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Callback {
    /// The function value, in terms of the parameters.
    pub(super) callee: Path,
    /// What kind of code it is.
    pub(super) what: Foreign,
    /// The calls to it.
    pub(super) chain: Chain,
    /// The locks held meanwhile, and where they were taken.
    pub(super) held: Vec<(LockUse, Chain)>,
    /// The parameters whose guards are no longer held by then, as bits.
    pub(super) released: u64,
}

/// The initialisation of a value on first use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forces {
    /// The lazily made value.
    pub(super) path: Path,
    /// The calls to it.
    pub(super) chain: Chain,
}

/// Two locks whose order only a caller can name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OpenEdge {
    /// The held lock and where it was taken.
    pub(super) held: (LockUse, Chain),
    /// The lock asked for.
    pub(super) asked: (LockUse, Chain),
}

/// What a caller must know of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// What it returns.
    pub(super) returned: Option<Returned>,
    /// The locks whose guards it returns, and in which field of the result.
    pub(super) guards: Vec<(LockUse, Chain, Vec<u32>)>,
    /// The parameters, by index and field, whose guards it returns.
    pub(super) passed_guards: Vec<(u32, Vec<u32>)>,
    /// The locks it takes.
    pub(super) acquired: Vec<Acquired>,
    /// What it waits for.
    pub(super) blocks: Vec<Blocks>,
    /// The code of its caller that it calls.
    pub(super) callbacks: Vec<Callback>,
    /// The values that it initialises.
    pub(super) forces: Vec<Forces>,
    /// Orders of locks that it cannot name.
    pub(super) open_edges: Vec<OpenEdge>,
}

/// The summaries that are known, each for the bodies that have it as a callee.
///
/// A body is looked at after its callees, and beside any other: only a callee's summary is there in
/// every run alike. So the summary of a body that is no callee of who asks is never given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Summaries<'s> {
    /// The callees of each body, in ascending order.
    pub(super) callees: &'s [Vec<u32>],
    /// The summary of each body that was looked at.
    pub(super) known: &'s [Option<Summary>],
}

impl<'s> Summaries<'s> {
    /// The summary of a callee.
    pub(super) fn of(self, caller: BodyId, callee: BodyId) -> Option<&'s Summary> {
        if self.are_for(caller, callee) { self.known[callee].as_ref() } else { None }
    }

    /// Whether a body has another as a callee. Whoever asks has found it by the body's text, so that
    /// anything else is a fault of `callees`.
    pub(super) fn are_for(self, caller: BodyId, callee: BodyId) -> bool {
        let is_callee = self.has(caller, callee);
        debug_assert!(is_callee, "body {callee} is asked for by {caller}, but is no callee of it");
        is_callee
    }

    /// Whether calls lead from one body to another.
    pub(super) fn lead_to(self, from: BodyId, to: BodyId) -> bool {
        let mut seen = HashSet::new();
        let mut work = vec![from];
        while let Some(at) = work.pop() {
            if self.has(at, to) {
                return true;
            }
            if seen.insert(at) {
                work.extend(self.callees[at].iter().map(|callee| *callee as usize));
            }
        }
        false
    }

    fn has(self, caller: BodyId, callee: BodyId) -> bool {
        u32::try_from(callee).is_ok_and(|id| self.callees[caller].binary_search(&id).is_ok())
    }
}
