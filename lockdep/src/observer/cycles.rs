//! Makes a finding of a cycle that the detector has found: its rule, its sentence, its edges with their stacks.

use std::hash::{Hash, Hasher};

use crate::engine::{Cycle, Link};
use crate::finding::{Rule, Tier};
use crate::hash::NumberHasher;
use crate::model::finding::{Finding, FoundEdge, FoundHold, FoundThread, awaited, completes};
use crate::model::ids::{LockId, ThreadId};
use crate::model::lock::{LockKind, Site};
use crate::model::word::class_of;
use crate::observer::Observer;
use crate::observer::first_stacks::BothStacks;
use crate::observer::parts::{list, signature, site_number};

/// How many links of a cycle a finding lists.
const LISTED: usize = 128;

impl Observer {
    /// Reports a cycle, unless one at least as sure was reported at its places.
    pub(super) fn cycle(&mut self, cycle: &Cycle) {
        let n = cycle.links.len().min(LISTED);
        let mut parts: Vec<u64> = cycle
            .links
            .iter()
            .map(|l| {
                let mut h = NumberHasher::default();
                let ends = [l.held, l.asked];
                ends.map(|e| (class_of(e.lock), e.site, e.mode)).hash(&mut h);
                h.finish()
            })
            .collect();
        parts.sort_unstable();
        let event = cycle.links[..n].iter().position(|l| self.is_event(l.asked.lock));
        // Not reported: an event that one thread both waits for and completes; one that needs a writer to
        // queue just then; what a program does after a panic has ended its hang; and cycles of more than
        // two links, whose threads the event itself may keep apart.
        let vague = matches!(cycle.tier, Tier::NeedsThread | Tier::NeedsWriter);
        if event.is_some() && (vague || n > 2 || self.hung) {
            return;
        }
        let rule = if event.is_some() { Rule::WaitWhileHolding } else { Rule::LockOrder };
        // Other holders may have permits, or units, enough to give back.
        let counts = event.is_some_and(|at| {
            let class = class_of(cycle.links[at].asked.lock);
            matches!(self.classes.kind(class), LockKind::Permits | LockKind::Resource)
        });
        let tier = if counts { cycle.tier.min(Tier::Potential) } else { cycle.tier };
        // What the outermost threads alone keep apart is told beside what all keep apart.
        let sign = signature(rule, parts.into_iter().chain([u64::from(cycle.by_outermost)]));
        if self.reported.get(&sign).is_some_and(|&known| known >= tier) {
            return;
        }
        let mut threads: Vec<FoundThread> = Vec::new();
        for link in &cycle.links[..n] {
            let thread = self.thread(link.thread);
            if !threads.contains(&thread) {
                threads.push(thread);
            }
        }
        let who = list(&threads.iter().map(ToString::to_string).collect::<Vec<_>>());
        let names: Vec<String> = (0..n).map(|i| format!("{{{i}}}")).collect();
        let template = match (event, n, threads.len()) {
            (Some(at), ..) => {
                let (waiter, holder) = (&cycle.links[at], &cycle.links[(at + 1) % n]);
                let kind = self.lock(waiter.asked.lock).kind;
                format!(
                    "{} waits for {} while it holds {{{at}}}, and {} needs {{{}}} before it {}",
                    self.thread(waiter.thread),
                    awaited(kind, &format!("{{{}}}", (at + 1) % n)),
                    self.thread(holder.thread),
                    (at + 2) % n,
                    completes(kind).unwrap_or("completes that"),
                )
            }
            (None, 2, 1) => format!("{{0}} and {{1}} are locked in opposite orders, both by {who}"),
            (None, 2, _) => format!("{{0}} and {{1}} are locked in opposite orders by {who}"),
            (None, LISTED, _) if cycle.links.len() > n => format!(
                "{} locks are locked in a cycle by {who}, of which the first {n} are listed",
                cycle.links.len()
            ),
            _ => format!("{} are locked in a cycle by {who}", list(&names)),
        };
        let mut finding = Finding::new(rule, tier, template);
        finding.locks = cycle.links[..n].iter().map(|l| self.lock(l.held.lock)).collect();
        for (i, link) in cycle.links[..n].iter().enumerate() {
            finding.locks[i].gone = !self.detector.knows(link.held.lock);
            finding.edges.push(self.edge(link, i, (i + 1) % n));
        }
        if cycle.by_events && cycle.tier == Tier::Potential {
            let by = "a message, a notification or a barrier kept these threads apart in this run";
            finding.notes.push(by.to_owned());
        }
        if cycle.by_outermost {
            finding.apart = self.spawned_by_outermost(&cycle.links[..n]);
        }
        finding.reason = match cycle.tier {
            Tier::Guarded => cycle.gate.map(|gate| {
                finding.locks.push(self.lock(gate));
                format!("gate lock {{{}}} is held on both sides", finding.locks.len() - 1)
            }),
            Tier::Ordered => Some("spawn and join order keeps the threads apart".to_owned()),
            _ => None,
        };
        self.report(sign, finding);
    }

    /// Where the threads of these links, or those that they descend from, were spawned by threads that
    /// nobody spawned; empty where that is not known of all.
    fn spawned_by_outermost(&self, links: &[Link]) -> Vec<Site> {
        let mut sites: Vec<Site> = Vec::new();
        for link in links {
            let (mut thread, mut spawned) = (link.thread, None);
            loop {
                let Some(info) = self.threads.get(&thread) else { return Vec::new() };
                let Some(parent) = info.parent else { break };
                (thread, spawned) = (parent, info.spawned);
            }
            sites.extend(spawned.filter(|site| !sites.contains(site)));
        }
        sites
    }

    fn is_event(&self, lock: LockId) -> bool {
        self.classes.kind(class_of(lock)).is_event()
    }

    /// A link of a cycle, from the lock at `from` in its finding to the one at `to`.
    pub(super) fn edge(&mut self, link: &Link, from: usize, to: usize) -> FoundEdge {
        self.trace_thread(link.thread);
        let (from_site, to_site) = (self.site(link.held.site), self.site(link.asked.site));
        let stacks = self.stacks_between(link.thread, from_site, to_site);
        FoundEdge {
            from,
            to,
            thread: self.thread(link.thread),
            from_mode: link.held.mode,
            to_mode: link.asked.mode,
            from_site,
            to_site,
            guards: link
                .guards
                .iter()
                .map(|g| FoundHold {
                    class: class_of(g.lock),
                    instance: g.lock,
                    mode: g.mode,
                    tried: g.tried,
                    site: self.site(g.site),
                })
                .collect(),
            from_stack: stacks.from,
            stack: stacks.to,
        }
    }

    /// Where `thread` was when it held a lock since the one place and asked for another at the other;
    /// of another thread that did so where it is not known of this one.
    pub(super) fn stacks_between(&self, thread: ThreadId, from: Site, to: Site) -> BothStacks {
        let known = self.stacks.get(&(site_number(from), site_number(to)));
        known.map_or(BothStacks::default(), |known| known.of(thread))
    }
}
