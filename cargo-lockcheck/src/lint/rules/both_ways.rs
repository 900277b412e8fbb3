//! `same-class-nesting`: the lock of a value is taken under that of its owner, and elsewhere the owner's
//! under the value's own.
//!
//! One of the two alone is an order: down a tree, or up. A field tells which way a nesting goes: a weak
//! handle leads to an owner, a strong one to what is owned. Two nestings under one more lock are kept apart
//! by that.

use std::collections::BTreeMap;
use std::sync::Arc;

use lockdep::finding::Rule;

use super::report::{chain_sites, finding, lock, quoted, site};
use crate::lint::apis::locks::Waiting;
use crate::lint::effects::analyzed::Analyzed;
use crate::lint::effects::effect::Effect;
use crate::lint::effects::events::{Event, EventKind, HeldLock};
use crate::lint::program::BodyId;
use crate::lint::program::fields::field_type;
use crate::lint::summary::Acquired;
use crate::lint::summary::path::{Part, Path, Root};
use crate::report::model::{Finding, Mode};

/// Which way a nesting of two values' locks goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// From the owner to what it owns.
    Down,
    /// From what is owned to its owner.
    Up,
}

/// A value's lock that is asked for under the same lock of another.
#[derive(Clone, Copy)]
struct Nesting<'e> {
    body: BodyId,
    event: &'e Event,
    held: &'e HeldLock,
    asked: &'e Acquired,
}

pub(super) fn check(analyzed: &Analyzed<'_, '_>, findings: &mut Vec<Finding>) {
    let mut found: BTreeMap<Arc<str>, [Option<Nesting<'_>>; 2]> = BTreeMap::new();
    for (body, analysis) in analyzed.analyses.iter().enumerate() {
        for event in &analysis.events {
            let EventKind::Effect(Effect::Acquire(asked, _)) = &event.kind else { continue };
            for held in &event.held {
                let (Some(class), Some(other)) = (&held.lock.class, &asked.lock.class) else {
                    continue;
                };
                let modes = (held.lock.mode, asked.lock.mode);
                if class != other
                    || asked.lock.wait != Waiting::Blocking
                    || modes == (Mode::Read, Mode::Read)
                {
                    continue;
                }
                if let Some(way) = way(analyzed, body, &held.lock.path, &asked.lock.path) {
                    let known = found.entry(Arc::clone(&class.key)).or_default();
                    known[way as usize].get_or_insert(Nesting { body, event, held, asked });
                }
            }
        }
    }
    for nestings in found.into_values() {
        if let [Some(down), Some(up)] = nestings
            && !have_gate(&down, &up)
        {
            findings.push(worded(analyzed, &down, &up));
        }
    }
}

/// Which way it is from the value whose lock is held to the other.
fn way(analyzed: &Analyzed<'_, '_>, body: BodyId, held: &Path, asked: &Path) -> Option<Way> {
    let (field, value) = held.parts.split_last()?;
    let (other, between) = asked.parts.strip_prefix(value)?.split_last()?;
    if held.root != asked.root || held.root == Root::Unknown || field != other {
        return None;
    }
    let unit = analyzed.program.functions[body].unit;
    let mut is_strong = false;
    for part in between {
        if let Part::Field { owner: Some(owner), variant, index } = part {
            let ty = field_type(analyzed.program, unit, owner, variant, *index)?;
            if ty.contains("Weak<") {
                return Some(Way::Up);
            }
            is_strong |= ["Arc<", "Rc<", "Box<"].iter().any(|handle| ty.contains(handle));
        }
    }
    is_strong.then_some(Way::Down)
}

/// Whether both are made under one more lock.
fn have_gate(down: &Nesting<'_>, up: &Nesting<'_>) -> bool {
    let own = &down.held.lock.class;
    down.event.held.iter().any(|gate| {
        gate.lock.class.is_some()
            && gate.lock.class != *own
            && up.event.held.iter().any(|other| other.lock.class == gate.lock.class)
    })
}

fn worded(analyzed: &Analyzed<'_, '_>, down: &Nesting<'_>, up: &Nesting<'_>) -> Finding {
    let name = |nesting: &Nesting<'_>| &analyzed.program.functions[nesting.body].display;
    let message = format!(
        "`{}` takes {} of a value under that of its owner, and `{}` that of the owner under the value's \
         own: two threads that do so block each other",
        name(down),
        quoted(&down.held.lock),
        name(up),
    );
    let mut sites = Vec::new();
    for (nesting, asked) in
        [(down, "asks for that of what it owns here"), (up, "asks for that of its owner here")]
    {
        let held = format!("{} of one value is taken here", quoted(&nesting.held.lock));
        sites.extend(nesting.held.chain.first().map(|at| site(at, held)));
        sites.extend(chain_sites(&nesting.asked.chain, asked));
    }
    let locks = vec![lock(analyzed, down.body, &down.held.lock)];
    let mut found = finding(Rule::SameClassNesting, message, locks, sites);
    found.help.push(
        "take the handle of the other value out under the lock, and let the lock go before the other's is \
         taken"
            .to_owned(),
    );
    found
}
