//! How the instances of one class have been nested so far, as far as [`nesting`](super::nesting) needs it.

use crate::engine::{Held, Link};
use crate::model::ids::{LockId, ThreadId};
use crate::model::lock::Mode;
use crate::model::word::{class_of, comparable};
use crate::observer::facts::Request;
use crate::observer::parts::site_number;

/// How the instances of one class were nested so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Nestings {
    /// A nesting in which the inner lock is at the higher address.
    upward: Option<Link>,
    /// One in which it is at the lower address.
    downward: Option<Link>,
    /// Whether the inner lock has been the older one, and the younger one.
    directions: [bool; 2],
    /// Locks held exclusively at every nesting so far; `None` before the first.
    gates: Option<Vec<LockId>>,
    /// The finding has been made.
    pub(super) is_reported: bool,
}

impl Nestings {
    /// Takes in a request, with what is held there; what is nested as it is declared is left out. Returns
    /// whether a lock of the class was held.
    pub(super) fn add(
        &mut self,
        request: &Request<'_>,
        held: &[Held],
        as_declared: &[LockId],
    ) -> bool {
        let (asked, class) = (request.word.lock(), request.word.class());
        let is_nested = |h: &Held| {
            class_of(h.lock) == class && h.lock != asked && !as_declared.contains(&h.lock)
        };
        let mut any = false;
        for (outer, seen) in held.iter().zip(request.held).filter(|(outer, _)| is_nested(outer)) {
            any = true;
            if comparable(outer.lock, asked) {
                self.directions[usize::from(outer.lock < asked)] = true;
            }
            let upward = seen.address < request.address;
            let slot = if upward { &mut self.upward } else { &mut self.downward };
            let new = link(request.at.thread, *outer, request, held);
            // A nesting of writers says more than one of readers.
            if slot.as_ref().is_none_or(|known| writers(&new) > writers(known)) {
                *slot = Some(new);
            }
        }
        if any {
            let exclusive = |h: &&Held| class_of(h.lock) != class && !h.mode.is_read();
            let gates = held.iter().filter(exclusive).map(|h| h.lock);
            match &mut self.gates {
                Some(known) => known.retain(|gate| gates.clone().any(|lock| lock == *gate)),
                None => self.gates = Some(gates.collect()),
            }
        }
        any
    }

    /// Two nestings that no order explains: neither that of addresses nor that of creation, and no lock is
    /// held around all of them.
    pub(super) fn unexplained(&self) -> Option<[Link; 2]> {
        let (Some(up), Some(down)) = (&self.upward, &self.downward) else { return None };
        let is_gated = self.gates.as_ref().is_some_and(|gates| !gates.is_empty());
        (self.directions == [true; 2] && !is_gated).then(|| [up.clone(), down.clone()])
    }
}

fn writers(link: &Link) -> [bool; 2] {
    [link.held.mode, link.asked.mode].map(|mode| mode == Mode::Write)
}

fn link(thread: ThreadId, outer: Held, request: &Request<'_>, held: &[Held]) -> Link {
    let asked = Held {
        lock: request.word.lock(),
        mode: request.word.mode(),
        tried: false,
        site: site_number(request.site),
    };
    let is_of_another = |h: &&Held| class_of(h.lock) != request.word.class();
    Link {
        thread,
        held: outer,
        asked,
        guards: held.iter().filter(is_of_another).copied().collect(),
    }
}
