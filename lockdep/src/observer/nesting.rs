//! `same-class-nesting`: whether all nestings of the locks of one class agree on some order.
//!
//! What it never reports: nestings that the order of addresses, of creation or a declared one explains, or
//! around all of which one other lock was held.
//!
//! What it may miss: locks behind a wrapper type, of which nothing says that they are of one kind.

use crate::engine::{Held, Link};
use crate::model::finding::{Finding, Rule, Tier};
use crate::model::lock::Mode;
use crate::observer::Observer;
use crate::observer::facts::Request;
use crate::observer::parts::signature;

/// As many are reported of one class where a trace is written: who reads it has the source, and so can tell
/// which of them are about locks of several fields that one expression creates.
const TRACED: usize = 64;

impl Observer {
    /// Judges whether the nestings of one class follow a common order.
    pub(super) fn nesting(&mut self, request: &Request<'_>, held: &[Held]) {
        let class = request.word.class();
        if class == 0 || self.classes.is_anonymous(class) {
            return;
        }
        let as_declared = self.nested_as_declared(request);
        let most = if self.trace.is_some() { TRACED } else { 1 };
        let nestings = self.nestings.entry(class).or_default();
        if nestings.count() >= most || !nestings.add(request, held, &as_declared) {
            return;
        }
        for (two, links) in nestings.unexplained() {
            let nestings = self.nestings.entry(class).or_default();
            let is_too_much = nestings.count() >= most;
            if is_too_much || self.are_behind_a_wrapper(class, &links) || !can_block(&links) {
                continue;
            }
            self.nestings.entry(class).or_default().is_reported(two);
            self.report_nesting(class, &links);
        }
    }

    fn report_nesting(&mut self, class: u32, links: &[Link; 2]) {
        let mut finding = Finding::new(
            Rule::SameClassNesting,
            Tier::Potential,
            "several locks of one kind, {0}, are held together in no consistent order".to_owned(),
        );
        if ends(links).iter().any(|&(held, asked)| !Mode::conflicts(held, asked)) {
            finding.notes.push("readers are among them: it blocks once a writer queues".to_owned());
        }
        for (i, link) in links.iter().enumerate() {
            finding.locks.push(self.lock(link.held.lock));
            finding.locks.push(self.lock(link.asked.lock));
            finding.edges.push(self.edge(link, 2 * i, 2 * i + 1));
        }
        let sites = links.iter().flat_map(|link| [link.held.site, link.asked.site]);
        let parts = [u64::from(class)].into_iter().chain(sites);
        self.report(signature(Rule::SameClassNesting, parts), finding);
    }

    /// Locks that protect nothing by their type, all acquired at one place, are those behind a wrapper:
    /// nothing says that they are of one kind.
    fn are_behind_a_wrapper(&self, class: u32, links: &[Link; 2]) -> bool {
        // By what they say: a generic function has one of each in every crate that instantiates it.
        let ends = links.iter().flat_map(|link| [link.held.site, link.asked.site]);
        let mut sites = ends.map(|number| self.site(number));
        let first = sites.next();
        self.classes.protects_nothing(class) && sites.all(|site| Some(site) == first)
    }
}

/// In which mode each of the two holds its outer lock, and the other one asks for that.
fn ends(links: &[Link; 2]) -> [(Mode, Mode); 2] {
    [(&links[1], &links[0]), (&links[0], &links[1])]
        .map(|(outer, inner)| (outer.held.mode, inner.asked.mode))
}

/// Whether each waits for the other's outer lock, at least once a writer queues.
fn can_block(links: &[Link; 2]) -> bool {
    let waits = |&(held, asked): &(Mode, Mode)| {
        Mode::conflicts(held, asked) || Mode::conflicts_behind_writer(held, asked)
    };
    ends(links).iter().all(waits)
}
