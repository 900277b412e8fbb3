//! The threads that a body starts and waits for.

use crate::lint::apis::threads::{has_handle, is_spawn, may_join};
use crate::lint::apis::waits::{Blocking, blocking_call};
use crate::lint::dataflow::view::BodyView;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::mir::model::{Call, Terminator};
use crate::lint::mir::types;
use crate::lint::program::BodyId;
use crate::lint::summary::path::{Path, Root};

/// For a join: the block whose call has started the thread.
pub(crate) fn joined(view: &BodyView<'_, '_>, call: &Call<'_>) -> Option<u32> {
    if blocking_call(call.callee()?, None) != Some(Blocking::Join) {
        return None;
    }
    let place = call.args.first()?.place()?;
    let Root::Call(block) = view.local(place.local).root else { return None };
    started(view, block).map(|_| block)
}

/// For a call that may wait for threads whose handles it is given: where the handle comes from.
pub(crate) fn handle(view: &BodyView<'_, '_>, call: &Call<'_>) -> Option<Root> {
    let callee = call.callee()?;
    if is_spawn(callee) {
        return None;
    }
    let is_own = || view.program.resolve(view.function.unit, callee).is_some();
    // A loop over handles ends when each was waited for; it may have no round at all.
    let is_loop = callee.trait_name == Some("Iterator") && callee.name() == "next";
    if !is_loop && !may_join(callee) && !is_own() {
        return None;
    }
    let mut places = call.args.iter().filter_map(|arg| arg.place());
    let place = places.find(|place| {
        let ty = view.type_of(place);
        has_handle(ty) && (!types::is_reference(ty) || is_loop)
            || callee.name() == "poll" && callee.self_ty.is_some_and(has_handle)
    })?;
    match view.place(place).root {
        Root::Call(block) if !is_loop => Some(Root::Call(block)),
        Root::Call(_) => Some(Root::Unknown),
        root => Some(root),
    }
}

/// The call at the end of a block, if it starts a thread.
fn started<'f>(view: &'f BodyView<'_, '_>, block: u32) -> Option<&'f Call<'f>> {
    let Terminator::Call(call) = &view.function.body.blocks.get(block as usize)?.terminator else {
        return None;
    };
    is_spawn(call.callee()?).then_some(call)
}

/// The closure that the thread runs which a block starts, and what the closure has captured.
pub(crate) fn run(
    analyzed: &Analyzed<'_, '_>,
    view: &BodyView<'_, '_>,
    block: u32,
) -> Option<(BodyId, Path)> {
    given(analyzed, view, started(view, block)?)
}

/// The closure that a call is given last.
fn given(
    analyzed: &Analyzed<'_, '_>,
    view: &BodyView<'_, '_>,
    call: &Call<'_>,
) -> Option<(BodyId, Path)> {
    let closure = call.args.last()?.place()?;
    let ty = view.function.body.locals[closure.local as usize].ty;
    let body = analyzed.program.closure(view.function.unit, ty)?;
    Some((body, view.local(closure.local)))
}

/// The closures that have run by the time a body returns though it does not call them: those of
/// the threads that it joins, or that end with a scope, and those that start threads in a scope.
pub(crate) fn awaited(analyzed: &Analyzed<'_, '_>, id: BodyId) -> Vec<BodyId> {
    let view = analyzed.view(id);
    let mut found = Vec::new();
    for (at, call) in view.function.body.calls() {
        let Some(callee) = call.callee() else { continue };
        let closure = match types::last(callee.owner()) {
            "Scope" | "ScopedThreadBuilder" if is_spawn(callee) => run(analyzed, &view, at),
            _ if callee.name() == "scope" => given(analyzed, &view, call),
            _ => joined(&view, call).and_then(|block| run(analyzed, &view, block)),
        };
        found.extend(closure.map(|(body, _)| body));
    }
    found
}
