//! How the instances of one class have been nested so far, as far as [`nesting`](super::nesting) needs it.

use crate::engine::{Held, Link};
use crate::model::ids::{LockId, SiteId, ThreadId};
use crate::model::lock::Mode;
use crate::model::word::{class_of, comparable};
use crate::observer::facts::Request;
use crate::observer::parts::site_number;

/// Pairs of places at which the locks of one class are nested that are told apart.
const PAIRS: usize = 32;

/// How the instances of one class were nested so far.
///
/// A class is what is created at one place, which may be locks of several fields. So what was seen is kept by
/// the two places at which the locks were acquired, and two such pairs are judged together: who knows what
/// is acquired at a place can tell whether both are about locks of one field.
#[derive(Clone, Debug, Default)]
pub(super) struct Nestings {
    pairs: Vec<Pair>,
    /// The pairs that were reported together.
    reported: Vec<[usize; 2]>,
}

/// What was seen of the nestings at two places.
#[derive(Clone, Debug)]
struct Pair {
    /// Of the outer lock, and of the inner one.
    sites: [SiteId; 2],
    /// A nesting in which the inner lock is at the higher address.
    upward: Option<Link>,
    /// One in which it is at the lower address.
    downward: Option<Link>,
    /// Whether the inner lock has been the older one, and the younger one.
    directions: [bool; 2],
    /// Locks held exclusively at every nesting so far.
    gates: Vec<LockId>,
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
        let exclusive = |h: &&Held| class_of(h.lock) != class && !h.mode.is_read();
        let gates = || held.iter().filter(exclusive).map(|h| h.lock);
        let mut any = false;
        for (outer, seen) in held.iter().zip(request.held).filter(|(outer, _)| is_nested(outer)) {
            let Some(pair) = self.pair([outer.site, site_number(request.site)], gates) else {
                continue;
            };
            any = true;
            if comparable(outer.lock, asked) {
                pair.directions[usize::from(outer.lock < asked)] = true;
            }
            pair.gates.retain(|gate| gates().any(|lock| lock == *gate));
            let upward = seen.address < request.address;
            let slot = if upward { &mut pair.upward } else { &mut pair.downward };
            let new = link(request.at.thread, *outer, request, held);
            // A nesting of writers says more than one of readers.
            if slot.as_ref().is_none_or(|known| writers(&new) > writers(known)) {
                *slot = Some(new);
            }
        }
        any
    }

    /// What is known of the nestings at these places; nothing where that is too much.
    fn pair<G: Iterator<Item = LockId>>(
        &mut self,
        sites: [SiteId; 2],
        gates: impl Fn() -> G,
    ) -> Option<&mut Pair> {
        let known = self.pairs.iter().position(|pair| pair.sites == sites);
        let at = known.unwrap_or(self.pairs.len());
        if at == self.pairs.len() && at < PAIRS {
            let (upward, downward, directions) = (None, None, [false; 2]);
            let gates = gates().collect();
            self.pairs.push(Pair { sites, upward, downward, directions, gates });
        }
        self.pairs.get_mut(at)
    }

    /// Nestings, two each, that no order explains: neither that of addresses nor that of creation, and no
    /// lock is held around both of them; with what [`Nestings::is_reported`] takes.
    pub(super) fn unexplained(&self) -> Vec<([usize; 2], [Link; 2])> {
        let all = 0..self.pairs.len();
        let two = all.flat_map(|one| (one..self.pairs.len()).map(move |other| [one, other]));
        let new = two.filter(|two| !self.reported.contains(two));
        new.filter_map(|two| Some((two, self.without_order(two)?))).collect()
    }

    fn without_order(&self, two: [usize; 2]) -> Option<[Link; 2]> {
        let [one, other] = two.map(|at| &self.pairs[at]);
        let links = match (&one.upward, &other.downward, &other.upward, &one.downward) {
            (Some(up), Some(down), ..) | (.., Some(up), Some(down)) => [up.clone(), down.clone()],
            _ => return None,
        };
        let is_gated = one.gates.iter().any(|gate| other.gates.contains(gate));
        let both_ways = [0, 1].iter().all(|&way| one.directions[way] || other.directions[way]);
        (both_ways && !is_gated).then_some(links)
    }

    /// Notes that these two were reported.
    pub(super) fn is_reported(&mut self, two: [usize; 2]) {
        self.reported.push(two);
    }

    /// How many were reported.
    pub(super) fn count(&self) -> usize {
        self.reported.len()
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
