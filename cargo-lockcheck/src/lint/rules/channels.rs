//! `recv-with-live-sender`, `join-with-live-sender`: a loop over a channel that can only end when
//! the last sender is dropped, while the same scope keeps one alive.
//!
//! Senders are followed like guards, from the call that makes the channel. Only loops whose every
//! way out is the end of the channel are looked at.

use lockdep::finding::Rule;

use super::report::{finding, site};
use crate::lint::apis::channels::{drains, makes_channel};
use crate::lint::apis::waits::{Blocking, blocking_call};
use crate::lint::dataflow::flow::{Condition, Flow, condition};
use crate::lint::dataflow::guards;
use crate::lint::dataflow::tokens::{State, Tokens, Transfer};
use crate::lint::dataflow::view::BodyView;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::location;
use crate::lint::mir::callee::Callee;
use crate::lint::mir::model::Call;
use crate::lint::mir::types;
use crate::lint::order::threads;
use crate::lint::program::BodyId;
use crate::lint::summary::path::{Part, Path, Root};
use crate::report::model::Finding;

pub(crate) fn check(analyzed: &Analyzed<'_, '_>, findings: &mut Vec<Finding>) {
    for id in 0..analyzed.program.functions.len() {
        body(analyzed, id, findings);
    }
}

fn body(analyzed: &Analyzed<'_, '_>, id: BodyId, findings: &mut Vec<Finding>) {
    let function = &analyzed.program.functions[id];
    let body = &function.body;
    let channels: Vec<u32> = body
        .calls()
        .filter(|(_, call)| call.callee().is_some_and(makes_channel))
        .map(|(at, _)| at)
        .collect();
    if channels.is_empty() {
        return;
    }
    let view = analyzed.view(id);
    let graph = Flow::new(&view);
    let mut transfers = vec![Transfer::default(); body.blocks.len()];
    let mut owners = Vec::new();
    for &at in &channels {
        transfers[at as usize].made.push((owners.len() as u32, vec![0]));
        owners.push(at);
    }
    for (at, call) in body.calls() {
        // A clone of the sender is another one.
        let Some(callee) = call.callee() else { continue };
        if !callee.text.contains("Sender") || callee.trait_name != Some("Clone") {
            continue;
        }
        let path = call.args.first().map(|arg| view.operand(arg));
        if let Some(channel) = path.and_then(|path| end_of(&path, 0))
            && channels.contains(&channel)
        {
            transfers[at as usize].made.push((owners.len() as u32, Vec::new()));
            owners.push(channel);
        }
    }
    let owns = |ty: &str| types::owns(ty, &|path| types::last(path).ends_with("Sender"));
    let tokens = Tokens { paths: &[], initial: State::new(), transfers: &transfers, owns: &owns };
    let states = guards::flow(&view, &graph, &tokens);
    let is_alive = |at: u32, channel: u32| {
        states[at as usize].iter().any(|held| owners[held.token as usize] == channel)
    };
    let made = |channel: u32| {
        let span = body.blocks[channel as usize].span;
        site(&location(&view, span), "the channel is made here, and its sender is still alive")
    };
    for (at, call) in body.calls() {
        let here = || location(&view, body.blocks[at as usize].span);
        if let Some(channel) = received(&view, call)
            && is_alive(at, channel)
            && only_ends_with_channel(&view, &graph, at, call)
        {
            let message = format!(
                "`{}` receives until the channel is closed, but keeps a sender of it alive itself",
                function.display
            );
            let sites = vec![made(channel), site(&here(), "receives for ever here")];
            findings.push(finding(Rule::RecvWithLiveSender, message, Vec::new(), sites));
        } else if let Some((channel, closure)) = joined(analyzed, &view, call)
            && is_alive(at, channel)
        {
            let message = format!(
                "`{}` waits for a thread that receives until the channel is closed, but keeps a \
                 sender of it alive itself",
                function.display
            );
            let mut sites = vec![made(channel), site(&here(), "waits for the thread here")];
            let thread = &analyzed.program.functions[closure].body;
            sites.push(site(&location(&view, thread.span), "the thread receives here"));
            findings.push(finding(Rule::JoinWithLiveSender, message, Vec::new(), sites));
        }
    }
}

/// The block of the call that made the channel whose end this is.
fn end_of(path: &Path, end: u32) -> Option<u32> {
    let Root::Call(block) = path.root else { return None };
    match path.parts.first()? {
        Part::Field { owner: None, index, .. } if *index == end => Some(block),
        _ => None,
    }
}

/// Whether a call waits for a message until there is one or the channel is closed.
fn is_receive(callee: &Callee<'_>) -> bool {
    blocking_call(callee, None) == Some(Blocking::Receive)
        && !matches!(callee.name(), "recv_timeout" | "recv_deadline")
}

/// The channel that a call receives from.
fn received(view: &BodyView<'_, '_>, call: &Call<'_>) -> Option<u32> {
    if !is_receive(call.callee()?) {
        return None;
    }
    let place = call.args.first()?.place()?;
    end_of(&view.local(place.local), 1)
}

/// Whether the loop around a receive ends only with the channel: never because of what a message
/// holds.
fn only_ends_with_channel(view: &BodyView<'_, '_>, graph: &Flow, at: u32, call: &Call<'_>) -> bool {
    let Some(cycle) = graph.cycle[at as usize] else { return false };
    graph.ways_out(&view.function.body, Some(cycle)).all(|from| {
        matches!(condition(view, from), Some(Condition::Variant(place)) if *place == call.dest)
    })
}

/// For a join: the channel that the thread drains, and its closure.
fn joined(
    analyzed: &Analyzed<'_, '_>,
    view: &BodyView<'_, '_>,
    call: &Call<'_>,
) -> Option<(u32, BodyId)> {
    let block = threads::joined(view, call)?;
    let (body, captures) = threads::run(analyzed, view, block)?;
    let drained = drained(analyzed, body)?;
    let path = view.substitute_with(&drained, &|_| captures.clone());
    Some((end_of(&path, 1)?, body))
}

/// The receiver that a body receives from until its channel is closed.
fn drained(analyzed: &Analyzed<'_, '_>, id: BodyId) -> Option<Path> {
    let view = analyzed.view(id);
    let graph = Flow::new(&view);
    for (at, call) in view.function.body.calls() {
        let Some(callee) = call.callee() else { continue };
        let is_loop = is_receive(callee) && only_ends_with_channel(&view, &graph, at, call);
        if is_loop || drains(callee) {
            let place = call.args.first()?.place()?;
            return Some(view.place(place));
        }
    }
    None
}
