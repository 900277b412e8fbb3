//! What a caller must know of a body: which locks it takes, what it returns, what it waits for.

pub(crate) mod class;
pub(crate) mod fact;
pub(crate) mod path;
pub(crate) mod trail;

use std::collections::HashSet;
use std::sync::Arc;

use super::program::BodyId;
use crate::lint::apis::locks::Waiting;
use crate::lint::apis::waits::Blocking;
use crate::report::model::{Mode, Place};
use class::Class;
use fact::{Fact, Value};
use path::{Part, Path};
use trail::Trail;

/// Most that one summary lists of a kind; what is beyond is not seen by callers.
pub(crate) const LIMIT: usize = 96;

/// How many calls deep an acquisition is reported to callers.
pub(crate) const DEPTH: usize = 8;

/// What a body returns, in terms of its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Returned {
    /// A reference to, or handle of, this object.
    Path(Path),
    /// A value made of these.
    Fields(Vec<Option<Path>>),
}

/// A place in the program: the body and where in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Location {
    /// The body's path.
    pub(crate) function: Arc<str>,
    /// The file.
    pub(crate) file: Arc<str>,
    /// The line, from one.
    pub(crate) line: u32,
    /// The column, from one.
    pub(crate) column: u32,
    /// The place in the rules of a macro, where the body invokes one there.
    pub(crate) macro_place: Option<MacroPlace>,
    /// Whether the body hands a guard to its caller: the caller is then the place of interest.
    pub(crate) is_accessor: bool,
}

/// A place in the rules of a macro.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct MacroPlace {
    /// The file.
    pub(crate) file: Arc<str>,
    /// The line, from one.
    pub(crate) line: u32,
    /// The column, from one.
    pub(crate) column: u32,
}

impl From<&MacroPlace> for Place {
    fn from(place: &MacroPlace) -> Place {
        Place { file: place.file.to_string(), line: place.line, column: place.column }
    }
}

impl From<&Location> for Place {
    fn from(location: &Location) -> Place {
        Place { file: location.file.to_string(), line: location.line, column: location.column }
    }
}

/// The calls that lead to something, outermost first; the last is the thing itself.
pub(crate) type CallPath = Vec<Location>;

/// The end of a chain of calls: where the thing itself happens, or where what does it is called,
/// if that only hands its guard on.
pub(crate) fn innermost(chain: &CallPath) -> Option<&Location> {
    chain.iter().rev().find(|at| !at.is_accessor).or(chain.first())
}

/// A lock as a body uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LockUse {
    /// The lock.
    pub(crate) path: Path,
    /// The class, when the path tells it.
    pub(crate) class: Option<Class>,
    /// The lock's type, as printed; nothing where it is a constant whose type is not.
    pub(crate) ty: Arc<str>,
    /// Shared or not.
    pub(crate) mode: Mode,
    /// Whether it waits.
    pub(crate) wait: Waiting,
    /// Whether it is a lock of tasks.
    pub(crate) is_async: bool,
    /// Whether it names its level among locks of its class.
    pub(crate) is_nested: bool,
    /// Who takes it.
    pub(crate) origin: Origin,
}

/// Who takes a lock that a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The body, or what it calls.
    Taken,
    /// Its caller, which hands the guard in and alone knows the lock. The type is the guard's.
    HandedIn,
}

impl LockUse {
    /// Whether it stands for a lock whose guard a caller hands in; only the caller knows the lock.
    pub(crate) fn is_handed_in(&self) -> bool {
        self.origin == Origin::HandedIn
    }

    /// Whether two uses of one body are of one object.
    pub(crate) fn is_same(&self, other: &LockUse) -> bool {
        self.path == other.path && self.path.is_picked() && !self.is_handed_in()
    }

    /// Whether whoever holds it so waits for ever for another use of it.
    pub(crate) fn keeps_out(&self, other: &LockUse) -> bool {
        self.is_same(other) && (self.mode, other.mode) != (Mode::Read, Mode::Read)
    }
}

/// What is dropped where a `Drop` runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DroppedTypes {
    /// The name of the type that has the `Drop`, and those of what is dropped around it, from the inside.
    pub(crate) names: Vec<Arc<str>>,
    /// Whether it is behind an object of a trait, so that it may be another that runs.
    pub(crate) is_object: bool,
}

/// An acquisition by a body or by what it calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Acquired {
    /// What is taken.
    pub(crate) lock: LockUse,
    /// The calls to it.
    pub(crate) chain: CallPath,
    /// The parameters whose guards are no longer held by then, as bits.
    pub(crate) released: u64,
    /// Whose `Drop` takes it, when a drop leads to it.
    pub(crate) dropped: Option<DroppedTypes>,
    /// What must be true of the parameters so that it is taken.
    pub(crate) needs: Vec<Fact>,
}

/// An acquisition by a thread that a scope waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scoped {
    /// The acquisition.
    pub(crate) acquired: Acquired,
    /// Whether the scope has been waited for by then, so that what is held all the while keeps the
    /// thread from its end.
    pub(crate) has_ended: bool,
}

/// Who waits for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiter {
    /// The thread.
    Thread,
    /// The task; its thread goes on with others.
    Task,
}

/// A call that waits for something else than a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlockingCall {
    /// What is waited for.
    pub(crate) what: Blocking,
    /// Who waits.
    pub(crate) waiter: Waiter,
    /// What tells what is waited for from others: the type of a channel's messages, the class of a
    /// condition variable.
    pub(crate) about: Option<Arc<str>>,
    /// The field that the handle comes from, of a thread whose end is waited for.
    pub(crate) handle: Option<Part>,
    /// The calls to it.
    pub(crate) chain: CallPath,
    /// The parameters whose guards are no longer held by then, as bits.
    pub(crate) released: u64,
}

/// Code that a body runs and does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
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
    pub(crate) fn describe(self) -> &'static str {
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
pub(crate) struct Callback {
    /// The function value, in terms of the parameters.
    pub(crate) callee: Path,
    /// What kind of code it is.
    pub(crate) what: Foreign,
    /// The calls to it.
    pub(crate) chain: CallPath,
    /// The locks held meanwhile, and where they were taken.
    pub(crate) held: Vec<(LockUse, CallPath)>,
    /// The parameters whose guards are no longer held by then, as bits.
    pub(crate) released: u64,
    /// What is known of the values that it is called with.
    pub(crate) given: Vec<Value>,
    /// What must be true of the parameters so that it is called.
    pub(crate) needs: Vec<Fact>,
}

/// The use of a value that is made when it is first used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LazyInit {
    /// The lazily made value.
    pub(crate) path: Path,
    /// The calls to it.
    pub(crate) chain: CallPath,
}

/// An edge of the order graph that only a caller can add: one of its locks is known by a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeferredEdge {
    /// The held lock and where it was taken.
    pub(crate) held: (LockUse, CallPath),
    /// The lock asked for.
    pub(crate) asked: (LockUse, CallPath),
    /// The other locks held, as far as the caller can know them.
    pub(crate) gates: Vec<LockUse>,
    /// The way to where it is asked for.
    pub(crate) trail: Trail,
}

/// What a caller must know of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// What it returns.
    pub(crate) returned: Option<Returned>,
    /// The locks whose guards it returns, and in which field of the result.
    pub(crate) guards: Vec<(LockUse, CallPath, Vec<u32>)>,
    /// The parameters, by index and field, whose guards it returns.
    pub(crate) passed_guards: Vec<(u32, Vec<u32>)>,
    /// The parameters, by index, and the fields behind their references, whose guards it lets go of.
    pub(crate) released: Vec<(u32, Vec<u32>)>,
    /// The locks it takes.
    pub(crate) acquired: Vec<Acquired>,
    /// The locks that threads take which it starts in a scope.
    pub(crate) scoped: Vec<Scoped>,
    /// What it waits for.
    pub(crate) blocking: Vec<BlockingCall>,
    /// The code of its caller that it calls.
    pub(crate) callbacks: Vec<Callback>,
    /// The values that it initialises.
    pub(crate) lazy_inits: Vec<LazyInit>,
    /// Orders of locks that it cannot name.
    pub(crate) deferred_edges: Vec<DeferredEdge>,
}

/// The summaries that are known, each for the bodies that have it as a callee.
///
/// A body is looked at after its callees, and beside any other: only a callee's summary is there in
/// every run alike. So the summary of a body that is no callee of who asks is never given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summaries<'s> {
    /// The callees of each body, in ascending order.
    pub(crate) callees: &'s [Vec<u32>],
    /// The summary of each body that was looked at.
    pub(crate) known: &'s [Option<Summary>],
}

impl<'s> Summaries<'s> {
    /// The summary of a callee.
    pub(crate) fn of(self, caller: BodyId, callee: BodyId) -> Option<&'s Summary> {
        if self.are_for(caller, callee) { self.known[callee].as_ref() } else { None }
    }

    /// Whether a body has another as a callee. Whoever asks has found it by the body's text, so that
    /// anything else is a fault of `callees`.
    pub(crate) fn are_for(self, caller: BodyId, callee: BodyId) -> bool {
        let is_callee = self.has(caller, callee);
        debug_assert!(is_callee, "body {callee} is asked for by {caller}, but is no callee of it");
        is_callee
    }

    /// Whether calls lead from one body to another.
    pub(crate) fn lead_to(self, from: BodyId, to: BodyId) -> bool {
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
