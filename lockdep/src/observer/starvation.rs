//! The findings about threads that go on failing alone.

use std::time::Duration;

use crate::finding::{Rule, Tier};
use crate::model::finding::Finding;
use crate::model::held::HeldLock;
use crate::model::ids::ThreadId;
use crate::model::lock::{Mode, Site};
use crate::model::word::HoldWord;
use crate::observer::Observer;

impl Observer {
    /// Reports a thread that has failed on this lock in a loop, for `time`.
    pub(crate) fn starves(
        &mut self,
        thread: ThreadId,
        (asked, site): (HoldWord, Site),
        own: Option<&HeldLock>,
        (starvation, time): (Starvation, Duration),
    ) {
        let who = self.thread(thread);
        let lock = self.lock(asked.lock());
        let mut finding = match starvation {
            Starvation::Bypassed { rounds, holder } => {
                let text = format!(
                    "{who} has stepped back {rounds} times in a row as it did not get {{0}}, which \
                     others passed on meanwhile, for {time:.1?}"
                );
                let mut finding = Finding::new(Rule::SlowWait, Tier::Happened, text);
                finding.sites.push((site, "tries the lock here, and fails again and again"));
                if let Some(own) = own {
                    finding
                        .sites
                        .push((own.site, "holds a lock since here, which it gives up each time"));
                }
                finding.sites.push((holder.site, "another thread has acquired it here"));
                let cure = "who blocks for a lock gets it in its turn: block for both in one order, \
                            or take them with `lock_all!`";
                finding.notes.push(cure.to_owned());
                finding
            }
            Starvation::Polling { failures } => {
                let text = format!(
                    "{who} has polled {{0}} {failures} times in a row in vain, within {time:.1?}"
                );
                let mut finding = Finding::new(Rule::SpinNoProgress, Tier::Happened, text);
                finding.sites.push((site, "polls here, and holds nothing meanwhile"));
                finding
            }
        };
        finding.locks.push(lock);
        self.keep(&[thread], [site], finding);
    }

    /// Reports a thread that waited for a lock for `time`, while others had it `bypassed` times.
    pub(crate) fn bypassed(
        &mut self,
        thread: ThreadId,
        asked: HoldWord,
        site: Site,
        time: Duration,
        bypassed: u64,
    ) {
        let who = self.thread(thread);
        let how = if asked.mode() == Mode::Write { "" } else { "to read " };
        let text = format!(
            "{who} waited {how}for {{0}} for {time:.1?}, while others had it {bypassed} times"
        );
        let mut finding = Finding::new(Rule::SlowWait, Tier::Happened, text);
        finding.locks.push(self.lock(asked.lock()));
        finding.sites.push((site, "waited for the lock here"));
        self.keep(&[thread], [site], finding);
    }
}

/// How a thread starves that tries a lock again and again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Starvation {
    /// It stepped back so often, while others passed the lock on; the last of them, where it has it
    /// from.
    Bypassed { rounds: u64, holder: HeldLock },
    /// It polled `failures` times without a pause.
    Polling { failures: u64 },
}
