//! `declared-order`: what the program has declared about the order of its locks, and which
//! acquisitions go against it.
//!
//! The class of a lock says in which declared place it is: each place is a class of its own. A lock that
//! was acquired before it was declared, or never declared, is of another class and is not checked.

use std::cmp::Ordering;

use crate::engine::{Held, Link, Reason, Step};
use crate::finding::{Rule, Tier};
use crate::model::finding::Finding;
use crate::model::held::HeldLock;
use crate::model::ids::{LockId, PlaceId};
use crate::model::inventory::Class;
use crate::model::lock::{LockKind, Site};
use crate::observer::declarations::{Declaration, Lock};
use crate::observer::declared_places::{Place, key};
use crate::observer::facts::Request;
use crate::observer::parts::{held_of, list, signature, site_number};
use crate::observer::{Observer, declarations};
use crate::thread_state::serials;

impl Observer {
    /// Takes in what was declared since the last call, and gives the statics among it their places.
    pub(super) fn read_declarations(&mut self) {
        let newest = declarations::declarations();
        let is_read = |d: &&Declaration| self.declared.newest.is_some_and(|n| std::ptr::eq(*d, n));
        let mut new: Vec<&'static Declaration> = Vec::new();
        let mut next = newest;
        while let Some(declaration) = next.filter(|d| !is_read(d)) {
            new.push(declaration);
            next = declaration.next();
        }
        if !new.is_empty() {
            self.declared.newest = newest;
            // In an order that does not depend on the linker.
            new.sort_by_key(|d| d.order.locks.first().map(|lock| (lock.site, lock.name)));
            new.iter().for_each(|declaration| self.declare(declaration));
            self.number_places();
        }
        if !self.declared.later.is_empty() {
            self.place_statics();
        }
    }

    fn declare(&mut self, declaration: &Declaration) {
        let order = declaration.order;
        let places: Vec<PlaceId> = order.locks.iter().map(|lock| self.place(lock)).collect();
        for (lock, &place) in order.locks.iter().zip(&places) {
            let Some((rank, site)) = lock.rank else { continue };
            if let Err(steps) = self.declared.order.rank(place, rank, site) {
                self.contradiction(site, &steps);
            }
        }
        for &(first, then, site) in order.orders {
            let (Some(&first), Some(&then)) = (places.get(first), places.get(then)) else {
                continue;
            };
            if let Err(mut steps) = self.declared.order.declare(first, then, site) {
                steps.push(Step { first, then, reason: Reason::Order(site) });
                self.contradiction(site, &steps);
            }
        }
    }

    fn place(&mut self, lock: &'static Lock) -> PlaceId {
        let declared = &mut self.declared;
        *declared.index.entry(key(lock)).or_insert_with(|| {
            let place = declared.order.place();
            declared.places.push(Place { lock, classes: Vec::new() });
            if lock.of.is_some() {
                declared.later.push((place, lock));
            }
            place
        })
    }

    /// Gives new places their first class. The numbers of classes follow the declared order:
    /// `lock_all!` takes locks by their numbers, of which the class is the first part.
    fn number_places(&mut self) {
        for place in self.declared.order.sorted() {
            if self.declared.places[place as usize].classes.is_empty() {
                let class = self.new_place_class(place, None);
                self.declared.places[place as usize].classes.push((None, class));
            }
        }
    }

    fn new_place_class(&mut self, place: PlaceId, ty: Option<(LockKind, &'static str)>) -> u32 {
        let lock = self.declared.places[place as usize].lock;
        let (kind, type_name) = ty.unwrap_or((LockKind::Mutex, "?"));
        let place = Some((place, lock.name));
        let new = Class { class: 0, kind, type_name, created: lock.site, anonymous: false, place };
        let class = self.classes.add(new);
        self.trace_class(class);
        class
    }

    /// The class of the locks of this type in the place of `lock`.
    pub(crate) fn place_class(
        &mut self,
        lock: &'static Lock,
        kind: LockKind,
        type_name: &'static str,
    ) -> u32 {
        self.read_declarations();
        let place = self.place(lock);
        self.number_places();
        self.class_in(place, kind, type_name)
    }

    fn class_in(&mut self, place: PlaceId, kind: LockKind, type_name: &'static str) -> u32 {
        let classes = &mut self.declared.places[place as usize].classes;
        let ty = Some((kind, type_name));
        if let Some(&(_, class)) = classes.iter().find(|(known, _)| *known == ty) {
            return class;
        }
        if let [(free @ None, class)] = classes.as_mut_slice() {
            *free = ty;
            self.classes.is_of_type(*class, kind, type_name);
            return *class;
        }
        let class = self.new_place_class(place, ty);
        self.declared.places[place as usize].classes.push((ty, class));
        class
    }

    /// Gives the statics that lead to locks by now their places.
    ///
    /// This runs [`Locks::each_lock`](crate::observer::declarations::Locks::each_lock) of the program under
    /// the observer's lock. The implementations here only walk to the locks. The thread is busy, so the
    /// locks that another implementation takes pass through untracked and cannot come back here; one that
    /// waits for another thread or calls this crate, against its contract, may hang the process.
    fn place_statics(&mut self) {
        let mut later = std::mem::take(&mut self.declared.later);
        later.retain(|&(place, lock)| {
            let Some(of) = lock.of else { return false };
            let mut found = Vec::new();
            let is_there = of.each_lock(&mut |tag, ty| {
                found.push((tag, ty));
            });
            for (tag, ty) in found {
                let class = self.class_in(place, ty.kind(), ty.name());
                if serials::declare_static(&tag.id, class) {
                    self.retired.locks += 1;
                    if self.met(class) {
                        self.many(class);
                    }
                }
            }
            !is_there
        });
        self.declared.later.append(&mut later);
    }

    /// Gives a lock its key among those of its place.
    pub(crate) fn set_key(&mut self, lock: LockId, key: u64) {
        self.declared.keys.insert(lock, key);
    }

    /// The key of a lock that has one.
    pub(crate) fn key(&self, lock: LockId) -> Option<u64> {
        self.declared.keys.get(&lock).copied()
    }

    pub(super) fn forget_key(&mut self, lock: LockId) {
        if !self.declared.keys.is_empty() {
            self.declared.keys.remove(&lock);
        }
    }

    fn place_of(&self, lock: LockId) -> Option<PlaceId> {
        self.classes.place(crate::model::word::class_of(lock))
    }

    /// Reports a held lock that is declared to come after the one that is asked for.
    pub(super) fn against_declared(&mut self, request: &Request<'_>) {
        let asked = request.word.lock();
        let Some(first) = self.place_of(asked) else { return };
        let found = request.held.iter().find_map(|held| {
            let then = self.place_of(held.word.lock())?;
            let against = held.word.lock() != asked && self.declared.order.is_before(first, then);
            against.then_some((held, then))
        });
        let Some((held, then)) = found else { return };
        let Some(steps) = self.declared.order.steps(first, then) else { return };
        let who = self.thread(request.at.thread);
        let template = match steps.as_slice() {
            [Step { reason: Reason::Ranks { ranks: [first, then], .. }, .. }] => format!(
                "{who} asks for {{1}}, of rank {first}, while it holds {{0}}, of rank {then}: \
                 lesser ranks come first"
            ),
            _ => format!(
                "{who} asks for {{1}} while it holds {{0}}, which is declared to come after it"
            ),
        };
        let sites = declared_at(&steps);
        self.broken(request, held, template, sites);
    }

    /// Whether the nesting of two locks of one class is one that is declared, by levels or by keys:
    /// `None` where nothing is, an error with what is wrong where it is against those.
    fn declared_nesting(
        &self,
        request: &Request<'_>,
        outer: &HeldLock,
    ) -> Option<Result<(), String>> {
        let who = || self.thread(request.at.thread);
        if outer.level != request.level {
            let (held, asked) = (outer.level, request.level);
            return Some(if held < asked {
                Ok(())
            } else {
                Err(format!(
                    "{} asks for {{1}} at nesting level {asked} while it holds {{0}} at level {held}: \
                 lesser levels come first",
                    who(),
                ))
            });
        }
        let key = |lock: LockId| self.declared.keys.get(&lock).copied();
        let (held, asked) = (key(outer.word.lock())?, key(request.word.lock())?);
        match held.cmp(&asked) {
            Ordering::Less => Some(Ok(())),
            Ordering::Equal => None,
            Ordering::Greater => Some(Err(format!(
                "{} asks for {{1}}, of key {asked}, while it holds {{0}}, of key {held}: lesser \
                 keys come first",
                who(),
            ))),
        }
    }

    /// The held locks of the requested one's class to which its order is declared. If it goes
    /// against that, this is reported.
    pub(super) fn nested_as_declared(&mut self, request: &Request<'_>) -> Vec<LockId> {
        let (class, asked) = (request.word.class(), request.word.lock());
        let mut as_declared = Vec::new();
        let mut wrong = None;
        for outer in request.held {
            let lock = outer.word.lock();
            if outer.word.class() != class || lock == asked {
                continue;
            }
            let Some(nesting) = self.declared_nesting(request, outer) else { continue };
            as_declared.push(lock);
            if let (Err(template), None) = (nesting, &wrong) {
                wrong = Some((outer, template));
            }
        }
        if let Some((outer, template)) = wrong {
            self.broken(request, outer, template, Vec::new());
        } else {
            as_declared.extend(self.against_one_order(request));
        }
        as_declared
    }

    pub(super) fn broken(
        &mut self,
        request: &Request<'_>,
        outer: &HeldLock,
        template: String,
        sites: Vec<(Site, &'static str)>,
    ) {
        let sign = signature(
            Rule::DeclaredOrder,
            [
                u64::from(outer.word.class()),
                u64::from(request.word.class()),
                site_number(outer.site),
                site_number(request.site),
            ],
        );
        if self.reported.contains_key(&sign) {
            return;
        }
        let link = Link {
            thread: request.at.thread,
            held: held_of(outer),
            asked: Held {
                lock: request.word.lock(),
                mode: request.word.mode(),
                tried: false,
                site: site_number(request.site),
            },
            guards: Vec::new(),
        };
        let mut finding = Finding::new(Rule::DeclaredOrder, Tier::Happened, template);
        finding.locks = vec![self.lock(outer.word.lock()), self.lock(request.word.lock())];
        finding.edges = vec![self.edge(&link, 0, 1)];
        finding.sites = sites;
        self.report(sign, finding);
    }

    /// Two declarations say the opposite; the one at `site` is left out.
    fn contradiction(&mut self, site: Site, steps: &[Step<Site>]) {
        let name = |place: PlaceId| self.declared.places[place as usize].lock.name;
        let orders: Vec<String> =
            steps.iter().map(|s| format!("{} before {}", name(s.first), name(s.then))).collect();
        let template = format!(
            "the declared orders contradict each other: {}; the last one is left out",
            list(&orders)
        );
        let mut finding = Finding::new(Rule::DeclaredOrder, Tier::Happened, template);
        finding.sites = declared_at(steps);
        self.report(signature(Rule::DeclaredOrder, [site_number(site)]), finding);
    }
}

/// Where these steps are declared, each place once.
fn declared_at(steps: &[Step<Site>]) -> Vec<(Site, &'static str)> {
    let mut sites: Vec<(Site, &'static str)> = Vec::new();
    for step in steps {
        let at: &[(Site, &'static str)] = match &step.reason {
            Reason::Order(site) => &[(site, "this order is declared here")],
            Reason::Ranks { sites: [first, then], .. } => {
                &[(first, "this rank is declared here"), (then, "and this one here")]
            }
        };
        for &(site, label) in at {
            if !sites.iter().any(|(known, _)| std::ptr::eq(*known, site)) {
                sites.push((site, label));
            }
        }
    }
    sites
}
