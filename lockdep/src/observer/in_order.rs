//! `declared-order` among the locks that are taken together in the one order of [`crate::ordered`].
//!
//! A call of `lock_all!` declares that its locks are taken in the order of their numbers. A thread breaks
//! that if it holds locks of one such call and asks in another for a lock that comes before them: a third
//! call that takes both waits the other way round.
//!
//! What it may miss, and leaves to the order graph: two classes whose locks no call has taken together, as
//! it is chance which of them comes first; locks taken by hand, which may have an order of another kind,
//! such as a parent's before its children's; and locks that are ordered by their addresses.

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
