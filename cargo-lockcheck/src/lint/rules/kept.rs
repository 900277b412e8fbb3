//! `double-lock`: under its lock, an object calls what it keeps in a field; and what was put there, a
//! closure or a value behind an object of a trait, has a handle of that very object and takes the lock.
//!
//! What is kept is known by where it is put: into the field itself, or by a function that hands on there
//! what it is given. What is put there in other ways is not looked at.

use std::cell::LazyCell;
use std::collections::HashMap;

use lockdep::finding::Rule;

use super::report::{chain_sites, finding, lock, quoted, site, why_alive};
use crate::lint::apis::locks::Waiting;
use crate::lint::dataflow::view::BodyView;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::{Effect, location_of};
use crate::lint::effects::events::{Event, EventKind};
use crate::lint::mir::callee::Callee;
use crate::lint::mir::model::{Call, Operand, Rvalue, StatementKind, Terminator};
use crate::lint::mir::types;
use crate::lint::program::BodyId;
use crate::lint::summary::path::{Part, Path, Root};
use crate::lint::summary::{Acquired, Callback};
use crate::report::model::Finding;

/// A value that a body puts together and puts into a field.
struct Put {
    body: BodyId,
    block: u32,
    /// The object that has the field, as the body knows it.
    owner: Path,
    /// The value, as the body knows it.
    value: Path,
    /// The value's type.
    ty: String,
}

pub(super) fn check(analyzed: &Analyzed<'_, '_>, findings: &mut Vec<Finding>) {
    let puts = LazyCell::new(|| puts(analyzed));
    for (id, analysis) in analyzed.analyses.iter().enumerate() {
        for event in &analysis.events {
            let EventKind::Effect(Effect::Callback(callback)) = &event.kind else { continue };
            let Some((owner, field)) = owner_of(&callback.callee) else { continue };
            let is_own = |part: &Part| matches!(part, Part::Element(_));
            if callback.chain.len() > 1
                || event.held.is_empty()
                || owner.parts.iter().any(is_own)
                || owner.root == Root::Unknown
            {
                continue;
            }
            let mut puts = puts.get(&field).into_iter().flatten();
            findings.extend(
                puts.find_map(|put| comes_back(analyzed, id, event, callback, &owner, put)),
            );
        }
    }
}

/// The object that something is a field of, or is in a collection that is, and the field.
fn owner_of(path: &Path) -> Option<(Path, Part)> {
    let at =
        path.parts.iter().rposition(|part| matches!(part, Part::Field { owner: Some(_), .. }))?;
    let parts = path.parts[..at].to_vec();
    Some((Path { root: path.root.clone(), parts }, path.parts[at].clone()))
}

/// A lock that is held while what was put into the field is called, and taken by it.
fn comes_back(
    analyzed: &Analyzed<'_, '_>,
    id: BodyId,
    event: &Event,
    callback: &Callback,
    owner: &Path,
    put: &Put,
) -> Option<Finding> {
    let program = analyzed.program;
    let function = &program.functions[id];
    let Terminator::Call(call) = &function.body.blocks[event.block as usize].terminator else {
        return None;
    };
    let unit = program.functions[put.body].unit;
    let body = match put.ty.starts_with('{') {
        true => program.closure(unit, &put.ty)?,
        false => {
            let (_, method) = call.callee()?.text.split_once(" as ")?;
            let text = format!("<{} as {method}", put.ty);
            program.resolve(unit, &Callee::new(&text))?
        }
    };
    let view = analyzed.view(put.body);
    let again = |acquired: &&Acquired| acquired.lock.wait == Waiting::Blocking;
    let (held, acquired) =
        analyzed.summaries[body].as_ref()?.acquired.iter().filter(again).find_map(|acquired| {
            let path = view.substitute_with(&acquired.lock.path, &|number| match number {
                1 => put.value.clone(),
                _ => Path::new(Root::Unknown),
            });
            if path.root != put.owner.root {
                return None;
            }
            let rest = path.parts.strip_prefix(put.owner.parts.as_slice())?;
            let mut asked = acquired.lock.clone();
            asked.path = Path {
                root: owner.root.clone(),
                parts: owner.parts.iter().chain(rest).cloned().collect(),
            };
            let held = event.held.iter().find(|held| !held.stale && held.lock.keeps_out(&asked))?;
            Some((held, acquired))
        })?;
    let message = format!(
        "`{}` calls what is kept in a field while it holds {}, which `{}`, that is put there, takes again",
        function.display,
        quoted(&held.lock),
        program.functions[body].display,
    );
    let mut sites = Vec::new();
    sites.extend(
        held.chain.first().map(|at| site(at, format!("{} is taken here", quoted(&held.lock)))),
    );
    sites.extend(chain_sites(&callback.chain, "calls what is kept here"));
    sites.push(site(&location_of(&view, put.block), "is put there here"));
    sites.extend(chain_sites(&acquired.chain, "asks for the lock again here"));
    let mut found = finding(Rule::DoubleLock, message, vec![lock(analyzed, id, &held.lock)], sites);
    found.notes.push(why_alive(analyzed, id, held));
    found.help.push(
        "take what is kept out of the field, or a handle of it, and let the lock go before it is called"
            .to_owned(),
    );
    Some(found)
}

/// All that the program puts into fields, by calls of the library, of which only what it can do is known
/// there.
fn puts(analyzed: &Analyzed<'_, '_>) -> HashMap<Part, Vec<Put>> {
    let mut found: HashMap<Part, Vec<Put>> = HashMap::new();
    for (id, function) in analyzed.program.functions.iter().enumerate() {
        let view = LazyCell::new(|| analyzed.view(id));
        for (block, call) in function.body.calls() {
            let is_library = call.callee().is_some_and(|callee| types::is_library(callee.owner()));
            let [place, .., value] = call.args.as_slice() else { continue };
            let is_object =
                value.place().is_some_and(|place| function.body.type_of(place).contains("dyn "));
            if !is_library || !is_object {
                continue;
            }
            if let Some((owner, field)) = owner_of(&view.operand(place)) {
                put(analyzed, (&view, block), owner, value, found.entry(field).or_default());
            }
        }
    }
    found
}

/// What a body puts there: a value of its own, or one that its callers give it.
fn put(
    analyzed: &Analyzed<'_, '_>,
    (view, block): (&BodyView<'_, '_>, u32),
    owner: Path,
    value: &Operand<'_>,
    found: &mut Vec<Put>,
) {
    let path = view.operand(value);
    if let Some(ty) = type_of_made(view, &path) {
        found.push(Put { body: view.id(), block, owner, value: path, ty });
        return;
    }
    let Root::Param(number) = path.root else { return };
    if !path.parts.is_empty() {
        return;
    }
    for &caller in &analyzed.callers[view.id()] {
        let outer = analyzed.view(caller as usize);
        let calls = |call: &Call<'_>| {
            let resolve = |callee| analyzed.program.resolve(outer.function.unit, callee);
            call.callee().and_then(resolve) == Some(view.id())
        };
        for (at, call) in outer.function.body.calls().filter(|(_, call)| calls(call)) {
            let Some(given) = call.args.get(number as usize - 1) else { continue };
            let value = outer.operand(given);
            let Some(ty) = type_of_made(&outer, &value) else { continue };
            let owner = outer.substitute_with(&owner, &|number| {
                let argument = call.args.get(number as usize - 1);
                argument.map_or(Path::new(Root::Unknown), |argument| outer.operand(argument))
            });
            found.push(Put { body: caller as usize, block: at, owner, value, ty });
        }
    }
}

/// The type of a value that a body puts together, as printed.
fn type_of_made(view: &BodyView<'_, '_>, path: &Path) -> Option<String> {
    let Root::Aggregate(block, statement) = path.root else { return None };
    let block = view.function.body.blocks.get(block as usize)?;
    match &block.statements.get(statement as usize)?.kind {
        StatementKind::Assign(dest, Rvalue::Aggregate(name, _)) if path.parts.is_empty() => {
            let ty = view.type_of(dest);
            Some(if name.starts_with('{') { (*name).to_owned() } else { ty.to_owned() })
        }
        _ => None,
    }
}
