//! `declared-order` among the locks that are taken together in the one order of [`crate::ordered`].
//!
//! Whoever takes several locks with `lock_all!` says that they are taken in the order of their
//! numbers. That is broken by a thread which holds locks of one such call, and asks in another for
//! one that comes before them: a third call that takes both waits the other way round.
//!
//! Nothing is said of two classes of which no call has taken locks together, as it is chance which
//! of them comes first; nor of locks that were taken by hand, as they can have an order of another
//! kind, a parent's before its children's; nor of locks that are ordered by their addresses. Where
//! such orders do meet in a cycle, the order graph finds it.

use crate::model::held::HeldLock;
use crate::model::ids::LockId;
#[cfg(feature = "instrument")]
use crate::model::lock::Site;
use crate::model::word;
use crate::model::word::class_of;
use crate::observer::Observer;
use crate::observer::facts::Request;
use crate::observer::parts::site_number;

impl Observer {
    /// Locks of these classes are taken at `site`, in the order of their numbers.
    #[cfg(feature = "instrument")]
    pub(crate) fn takes_in_order(&mut self, site: Site, classes: &[u32]) {
        let site = self.intern(site);
        self.in_order.taken.extend(classes.iter().map(|&class| (site, class)));
    }

    /// What `lockdep::ordered` orders a lock by.
    fn number(&self, lock: LockId) -> (u64, u64, u64) {
        word::order(lock, self.key(lock))
    }

    /// Reports the first held lock of another call that comes after the requested one, and returns
    /// all of them.
    pub(super) fn against_one_order(&mut self, request: &Request<'_>) -> Vec<LockId> {
        let asked = request.word.lock();
        if !self.in_order.takes(request.site, asked) {
            return Vec::new();
        }
        let mut wrong: Vec<(&HeldLock, u64)> = Vec::new();
        for held in request.held {
            let lock = held.word.lock();
            if lock == asked || !self.in_order.takes(held.site, lock) {
                continue;
            }
            let classes = [class_of(lock), class_of(asked)];
            if self.number(lock) > self.number(asked) {
                let together = self.in_order.together.get(&(classes[1], classes[0]));
                wrong.extend(together.map(|&site| (held, site)));
            } else if std::ptr::eq(held.site, request.site) {
                let pair = (classes[0], classes[1]);
                self.in_order.together.entry(pair).or_insert(site_number(request.site));
            }
        }
        let Some(&(held, together)) = wrong.first() else { return Vec::new() };
        let template = format!(
            "{} asks for {{1}} while it holds {{0}}, which `lock_all!` takes after it",
            self.thread(request.at.thread),
        );
        let sites = vec![(self.site(together), "locks of these kinds are taken together here")];
        self.broken(request, held, template, sites);
        wrong.iter().map(|(held, _)| held.word.lock()).collect()
    }
}
