//! Whether locks of one class are nested in an order that all nestings agree on.

use crate::engine::{Held, Link};
use crate::finding::{Rule, Tier};
use crate::model::finding::Finding;
use crate::model::ids::LockId;
use crate::model::lock::Mode;
use crate::model::word::{class_of, comparable};
use crate::observer::{Observer, Request, signature, site_number, site_of};

/// How the instances of one class were nested so far.
#[derive(Clone, Debug)]
pub(super) struct Nesting {
    upward: Option<Link>,
    downward: Option<Link>,
    /// Whether the inner lock has been the older one, and the younger one.
    directions: [bool; 2],
    /// Locks held exclusively at every nesting so far.
    gates: Vec<LockId>,
    reported: bool,
}

impl Observer {
    /// Judges whether the nestings of one class follow a common order.
    pub(super) fn nesting(&mut self, request: &Request<'_>, held: &[Held]) {
        let (asked, class) = (request.word.lock(), request.word.class());
        if class == 0 || self.classes[class as usize].anonymous {
            return;
        }
        let as_declared = self.nested_as_declared(request);
        let exclusive = |h: &&Held| class_of(h.lock) != class && !h.mode.is_read();
        let nesting = self.nestings.entry(class).or_insert_with(|| Nesting {
            upward: None,
            downward: None,
            directions: [false; 2],
            gates: held.iter().filter(exclusive).map(|h| h.lock).collect(),
            reported: false,
        });
        if nesting.reported {
            return;
        }
        let mut nested = false;
        for (outer, seen) in held.iter().zip(request.held) {
            if class_of(outer.lock) != class
                || outer.lock == asked
                || as_declared.contains(&outer.lock)
            {
                continue;
            }
            nested = true;
            if comparable(outer.lock, asked) {
                nesting.directions[usize::from(outer.lock < asked)] = true;
            }
            let upward = seen.address < request.address;
            let slot = if upward { &mut nesting.upward } else { &mut nesting.downward };
            let asked_mode = request.word.mode();
            // A nesting of writers says more than one of readers.
            let writers = |held: Mode, asked: Mode| [held, asked].map(|m| m == Mode::Write);
            let stronger = |link: &Link| {
                writers(outer.mode, asked_mode) > writers(link.held.mode, link.asked.mode)
            };
            if slot.as_ref().is_none_or(stronger) {
                *slot = Some(Link {
                    thread: request.at.thread,
                    held: *outer,
                    asked: Held {
                        lock: asked,
                        mode: asked_mode,
                        tried: false,
                        site: site_number(request.site),
                    },
                    guards: held.iter().filter(|h| class_of(h.lock) != class).copied().collect(),
                });
            }
        }
        if !nested {
            return;
        }
        nesting.gates.retain(|&g| held.iter().filter(exclusive).any(|h| h.lock == g));
        let (Some(up), Some(down)) = (&nesting.upward, &nesting.downward) else { return };
        if nesting.directions != [true; 2] || !nesting.gates.is_empty() {
            return;
        }
        let links = [up.clone(), down.clone()];
        // Locks that protect nothing by their type, all acquired at one place, are those behind a
        // wrapper: nothing says that they are of one kind.
        let mut sites =
            links.iter().flat_map(|link| [link.held.site, link.asked.site]).map(site_of);
        let first = sites.next();
        if self.classes[class as usize].type_name == "()" && sites.all(|site| Some(site) == first) {
            return;
        }
        // Each waits for the other's outer lock.
        let ends = [(&links[1], &links[0]), (&links[0], &links[1])]
            .map(|(outer, inner)| (outer.held.mode, inner.asked.mode));
        let waits = ends.map(|(held, asked)| Mode::conflicts(held, asked));
        let behind = ends.map(|(held, asked)| Mode::conflicts_behind_writer(held, asked));
        if (0..2).any(|i| !waits[i] && !behind[i]) {
            return;
        }
        nesting.reported = true;
        let mut finding = Finding::new(
            Rule::SameClassNesting,
            Tier::Potential,
            "several locks of one kind, {0}, are held together in no consistent order".to_owned(),
        );
        if waits != [true, true] {
            finding.notes.push("readers are among them: it blocks once a writer queues".to_owned());
        }
        for (i, link) in links.iter().enumerate() {
            finding.locks.push(self.lock(link.held.lock));
            finding.locks.push(self.lock(link.asked.lock));
            finding.edges.push(self.edge(link, 2 * i, 2 * i + 1));
        }
        self.report(signature(Rule::SameClassNesting, [u64::from(class)]), finding);
    }
}
