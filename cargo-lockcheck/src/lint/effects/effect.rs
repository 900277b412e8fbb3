//! The things that a call or drop does, and where it does them.

use std::sync::Arc;

use crate::lint::dataflow::tokens::Transfer;
use crate::lint::dataflow::view::BodyView;
use crate::lint::mir::model::{Span, Terminator};
use crate::lint::summary::path::Path;
use crate::lint::summary::{
    Acquired, BlockingCall, CallPath, Callback, DeferredEdge, LazyInit, Location, LockUse,
    MacroPlace, Scoped,
};

/// One thing that a call or drop does.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Takes a lock, now or in a callee.
    Acquire(Acquired, Vec<(LockUse, CallPath)>),
    /// A thread of a scope takes a lock.
    Scoped(Scoped),
    /// Waits for something else; the object it waits on, when this body names it.
    Block(BlockingCall, Option<Path>),
    /// Runs code that is not known here.
    Callback(Callback),
    /// Initialises a value on first use.
    LazyInit(LazyInit),
    /// Waits on a condition variable.
    Wait {
        /// The condition variable.
        condvar: Path,
        /// Whether it waits for ever.
        forever: bool,
        /// Whether it looks at the predicate itself.
        checks: bool,
        /// The locks that it lets go of meanwhile; whoever knows what is held fills them in.
        mutexes: Vec<LockUse>,
    },
    /// Wakes the waiters of a condition variable.
    Notify(Path),
}

impl Effect {
    /// Adds locks that are held while it happens, beside those that its body holds.
    pub(crate) fn run_under(&mut self, locks: &[(LockUse, CallPath)]) {
        match self {
            Effect::Acquire(_, extra) => extra.extend_from_slice(locks),
            Effect::Callback(callback) => callback.held.extend_from_slice(locks),
            Effect::Scoped(_)
            | Effect::Block(..)
            | Effect::LazyInit(_)
            | Effect::Wait { .. }
            | Effect::Notify(_) => {}
        }
    }

    /// The parameters whose guards are no longer held by then, as bits, where that is known.
    pub(crate) fn released_mut(&mut self) -> Option<&mut u64> {
        match self {
            Effect::Acquire(Acquired { released, .. }, _)
            | Effect::Block(BlockingCall { released, .. }, _)
            | Effect::Callback(Callback { released, .. }) => Some(released),
            _ => None,
        }
    }
}

/// The bit that stands for a parameter, by number from one.
pub(crate) fn parameter_bit(number: u32) -> u64 {
    1 << number.min(63)
}

/// What one block's terminator does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// In order.
    pub(crate) effects: Vec<Effect>,
    /// The locks whose guards the result holds, and in which field.
    pub(crate) result: Vec<(LockUse, CallPath, Vec<u32>)>,
    /// What happens to guards that are handed in.
    pub(crate) transfer: Transfer,
    /// Orders of locks that the callee cannot name.
    pub(crate) deferred_edges: Vec<DeferredEdge>,
}

/// A place in the source as part of a chain.
pub(crate) fn location(view: &BodyView<'_, '_>, span: Span<'_>) -> Location {
    place_in(view, span, None)
}

/// The place of the call or drop that ends a block.
pub(crate) fn location_of(view: &BodyView<'_, '_>, block: u32) -> Location {
    let block = &view.function.body.blocks[block as usize];
    // What a macro is given stands where it is invoked.
    let first = view.function.body.span.line();
    let given = block
        .statements
        .iter()
        .rev()
        .map(|statement| statement.span)
        .find(|span| span.file() == view.function.body.span.file() && span.line() >= first);
    place_in(view, block.span, given.map(Span::line))
}

/// A place; of several invocations of a macro on the way, the one with an argument in a line.
fn place_in(view: &BodyView<'_, '_>, span: Span<'_>, near: Option<u32>) -> Location {
    let (file, line, column) =
        span.parts().map_or(("", 0, 0), |(file, line, column, _, _)| (file, line, column));
    let invoked = invocation(view, file, line, near);
    let macro_place = invoked.map(|_| MacroPlace { file: Arc::from(file), line, column });
    let (file, line, column) = invoked.unwrap_or((file, line, column));
    Location {
        function: Arc::from(view.function.display.as_str()),
        file: Arc::from(file),
        line,
        column,
        macro_place,
        is_accessor: view.program.owns_guard(view.function.body.locals[0].ty),
    }
}

/// Where the body invokes the macro of its crate that the line of a file belongs to, if it does.
fn invocation<'a>(
    view: &BodyView<'_, 'a>,
    file: &str,
    line: u32,
    near: Option<u32>,
) -> Option<(&'a str, u32, u32)> {
    let body = &view.function.body;
    let (own, first) = (body.span.file(), body.span.line());
    if own == file && line >= first {
        return None;
    }
    let ends = body.blocks.iter().filter(|block| matches!(block.terminator, Terminator::Return));
    let last = ends.map(|block| block.span.line()).max()?;
    let sources = &view.program.units[view.function.unit].sources;
    let last = near.filter(|near| (first..=last).contains(near)).unwrap_or(last);
    let found = sources.invocations((file, line), own, first..=last);
    if found.is_empty() {
        // By a macro of another crate, which the function invokes through a third crate's.
        let found = sources.foreign_invocations((file, line), own, first..=last);
        return match found.as_slice() {
            [.., (line, column)] if near.is_some() => Some((own, *line, *column)),
            [(line, column)] => Some((own, *line, *column)),
            _ => None,
        };
    }
    let (line, column) = if near.is_some() { found.last()? } else { found.first()? };
    Some((own, *line, *column))
}
