//! `stuck-wait` in the source: the thread or task that alone reads a bounded channel waits for room in it.
//!
//! A channel is known by the only call that makes one of such messages, and its ends by where that call's
//! body puts them: both into what one thread is started with. A receiver that is cloned, a sender that the
//! thread gets in another way, and what is sent before the first message is taken are not looked at.

use std::collections::HashSet;

use lockdep::finding::Rule;

use super::report::{finding, site};
use crate::lint::apis::channels::{bounded_messages, is_send};
use crate::lint::apis::threads::is_spawn;
use crate::lint::apis::waits::{Blocking, awaited, blocking_call, message_of};
use crate::lint::dataflow::flow::Flow;
use crate::lint::dataflow::view::BodyView;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::location_of;
use crate::lint::mir::callee::Callee;
use crate::lint::mir::model::{Call, Rvalue, StatementKind, Terminator};
use crate::lint::mir::types;
use crate::lint::program::BodyId;
use crate::lint::summary::path::{Part, Path, Root};
use crate::lint::summary::{Location, Returned};
use crate::report::model::Finding;

/// How deep in a value an end of a channel is looked for.
const DEPTH: u32 = 3;

/// A call that makes a bounded channel.
struct Channel<'a> {
    body: BodyId,
    block: u32,
    message: &'a str,
}

pub(crate) fn check(analyzed: &Analyzed<'_, '_>, findings: &mut Vec<Finding>) {
    let mut channels: Vec<Channel<'_>> = Vec::new();
    for (body, function) in analyzed.program.functions.iter().enumerate() {
        for (block, call) in function.body.calls() {
            let message = call.callee().and_then(bounded_messages);
            channels.extend(message.map(|message| Channel { body, block, message }));
        }
    }
    for channel in &channels {
        let same = channels.iter().filter(|other| {
            let unit = |channel: &Channel<'_>| analyzed.program.functions[channel.body].unit;
            other.message == channel.message && unit(other) == unit(channel)
        });
        if same.count() == 1 {
            findings.extend(sent_to_itself(analyzed, channel));
        }
    }
}

fn sent_to_itself(analyzed: &Analyzed<'_, '_>, channel: &Channel<'_>) -> Option<Finding> {
    let view = analyzed.view(channel.body);
    let is_receiver = |path: &Path| end_of(path, channel.block) == Some(1);
    let is_cloned = view.function.body.calls().any(|(_, call)| {
        call.callee().is_some_and(|callee| callee.trait_name == Some("Clone"))
            && call.args.first().is_some_and(|arg| is_receiver(&view.operand(arg)))
    });
    if is_cloned {
        return None;
    }
    let starts = view.function.body.calls().filter(|(_, call)| call.callee().is_some_and(is_spawn));
    for (at, call) in starts {
        let Some(given) = call.args.last() else { continue };
        let thread = view
            .operand_type(given)
            .and_then(|ty| analyzed.program.closure(view.function.unit, ty));
        let Some(thread) = thread else { continue };
        if ends_in(&view, &view.operand(given), channel.block).len() < 2 {
            continue;
        }
        let Some(sends) = answered(analyzed, thread, channel.message) else { continue };
        let Some((sender, sent)) = sends.1 else { continue };
        let message = format!(
            "`{}` waits for room in the bounded channel whose messages it alone takes: when the channel \
             is full, it waits for itself",
            analyzed.program.functions[sender].display
        );
        let sites = vec![
            site(&location_of(&view, channel.block), "the channel is made here"),
            site(&location_of(&view, at), "the thread is given both ends of it here"),
            site(&sends.0, "it takes each message here"),
            site(&sent, "waits for room for another one here"),
        ];
        let mut found = finding(Rule::StuckWait, message, Vec::new(), sites);
        found.help.push(
            "do at once what the message would say, keep it in a queue of the thread's own, or use \
             `try_send`, which says so when the channel is full"
                .to_owned(),
        );
        return Some(found);
    }
    None
}

/// Which end of the channel that a block has made a path is: 0 for the sender, 1 for the receiver.
pub(super) fn end_of(path: &Path, channel: u32) -> Option<u32> {
    match path.parts.first()? {
        Part::Field { owner: None, index, .. } if path.root == Root::Call(channel) => Some(*index),
        _ => None,
    }
}

/// The ends of the channel that a block has made which are in a value.
pub(super) fn ends_in(view: &BodyView<'_, '_>, path: &Path, channel: u32) -> HashSet<u32> {
    let mut found = HashSet::new();
    collect_ends(view, path, channel, DEPTH, &mut found);
    found
}

fn collect_ends(
    view: &BodyView<'_, '_>,
    path: &Path,
    channel: u32,
    depth: u32,
    found: &mut HashSet<u32>,
) {
    if let Some(end) = end_of(path, channel) {
        found.insert(end);
        return;
    }
    let Some(depth) = depth.checked_sub(1).filter(|_| path.parts.is_empty()) else { return };
    let blocks = &view.function.body.blocks;
    match path.root {
        Root::Aggregate(block, index) => {
            let statement = blocks[block as usize].statements.get(index as usize);
            if let Some(StatementKind::Assign(_, Rvalue::Aggregate(_, values))) =
                statement.map(|statement| &statement.kind)
            {
                for value in values {
                    collect_ends(view, &view.operand(value), channel, depth, found);
                }
            }
        }
        // What a function of the program puts together of what it is given.
        Root::Call(block) => {
            let Terminator::Call(call) = &blocks[block as usize].terminator else { return };
            let resolve = |callee| view.program.resolve(view.function.unit, callee);
            let summary = call.callee().and_then(resolve).and_then(|id| view.summary(id));
            if let Some(Some(Returned::Fields(fields))) = summary.map(|summary| &summary.returned) {
                for field in fields.iter().flatten() {
                    let path = view.substitute_with(field, &|number| {
                        let arg = call.args.get(number as usize - 1);
                        arg.map_or(Path::new(Root::Unknown), |arg| view.operand(arg))
                    });
                    collect_ends(view, &path, channel, depth, found);
                }
            }
        }
        _ => {}
    }
}

/// Where what a thread runs takes messages of a type in a loop, and the body and place that send one in
/// the same loop, if one does.
fn answered(
    analyzed: &Analyzed<'_, '_>,
    thread: BodyId,
    message: &str,
) -> Option<(Location, Option<(BodyId, Location)>)> {
    for id in run_by(analyzed, vec![thread]) {
        let view = analyzed.view(id);
        let graph = Flow::new(&view);
        for (at, call) in view.function.body.calls() {
            let Some(cycle) = graph.cycle[at as usize].filter(|_| receives(call, message)) else {
                continue;
            };
            let in_loop = |at: u32| graph.cycle[at as usize] == Some(cycle);
            let taken = location_of(&view, at);
            let calls = view.function.body.calls().filter(|(at, _)| in_loop(*at));
            let mut work = Vec::new();
            for (at, call) in calls {
                if sends(call, message) {
                    return Some((taken, Some((id, location_of(&view, at)))));
                }
                work.extend(run_in(analyzed, &view, call));
            }
            let sender = run_by(analyzed, work).into_iter().find_map(|sender| {
                let view = analyzed.view(sender);
                let mut calls = view.function.body.calls();
                let (at, _) = calls.find(|(_, call)| sends(call, message))?;
                Some((sender, location_of(&view, at)))
            });
            return Some((taken, sender));
        }
    }
    None
}

/// Some bodies, and all that they run on the same thread.
fn run_by(analyzed: &Analyzed<'_, '_>, mut work: Vec<BodyId>) -> Vec<BodyId> {
    let mut found = Vec::new();
    while let Some(id) = work.pop() {
        if found.contains(&id) {
            continue;
        }
        found.push(id);
        let view = analyzed.view(id);
        for (_, call) in view.function.body.calls() {
            work.extend(run_in(analyzed, &view, call));
        }
    }
    found
}

/// The bodies that a call runs on the same thread.
fn run_in(analyzed: &Analyzed<'_, '_>, view: &BodyView<'_, '_>, call: &Call<'_>) -> Vec<BodyId> {
    let Some(callee) = call.callee().filter(|callee| !is_spawn(callee)) else { return Vec::new() };
    let unit = view.function.unit;
    let closures = types::closures(callee.text);
    let closures = closures.into_iter().filter_map(|ty| analyzed.program.closure(unit, ty));
    closures.chain(analyzed.program.resolve(unit, callee)).collect()
}

/// Whether a call waits for a message of a type.
fn receives(call: &Call<'_>, message: &str) -> bool {
    call.callee().is_some_and(|callee| {
        blocking_call(callee, None) == Some(Blocking::Receive) && is_about(callee.text, message)
            || polls(callee, Blocking::Receive, message)
    })
}

/// Whether a call waits until there is room for a message of a type.
fn sends(call: &Call<'_>, message: &str) -> bool {
    call.callee().is_some_and(|callee| {
        is_send(callee) && is_about(callee.text, message)
            || polls(callee, Blocking::BoundedSend, message)
    })
}

/// Whether a call polls a future that waits for a channel of a message.
fn polls(callee: &Callee<'_>, what: Blocking, message: &str) -> bool {
    (callee.trait_name, callee.name()) == (Some("Future"), "poll")
        && callee.self_ty.is_some_and(|future| {
            awaited(future) == Some(what) && message_of(future) == Some(message)
        })
}

/// Whether a function of a channel, as printed, is of one for these messages.
fn is_about(text: &str, message: &str) -> bool {
    ["<", ", "].iter().any(|before| text.contains(&format!("{before}{message}>")))
}
