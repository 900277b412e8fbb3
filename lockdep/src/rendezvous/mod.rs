//! Threads are made to meet where they would deadlock: a run under control, for `cargo lockcheck confirm`.
//!
//! A plan says where each thread of a possible deadlock holds one lock and asks for the next. A thread that
//! comes there waits, before it asks, until others stand at all of these positions and each asks for what
//! another one holds; then all go on, and the deadlock comes about by itself, to be found as any other is
//! ([`waits`](crate::waits)). So nothing is taken for a deadlock here that is none, and what a common lock or
//! an order of threads makes impossible never comes about. The method is that of active testing (Joshi et
//! al., "DeadlockFuzzer", PLDI 2009).
//!
//! A thread that waits here counts as running, so no deadlock is reported because of it. It goes on when
//! nobody else can come, and after a time in any case. All acquisitions take the slow path meanwhile.
//!
//! What it misses: positions that a thread reaches only after more time than that; tasks of executors.

mod meeting;
mod plan;

use std::fs;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::model::held::HeldLock;
use crate::model::ids::{LockId, ThreadId};
use crate::model::lock::{Mode, Site};
use crate::model::word::HoldWord;
use crate::platform;
use crate::process::observe;
use crate::rendezvous::meeting::{Meeting, Others};
use crate::rendezvous::plan::Plan;
use crate::thread_state::current::Busy;
use crate::thread_state::record::{OwnRecord, Record};
use crate::thread_state::snapshot::{ThreadSnapshot, threads};
use crate::thread_state::wait::Awaited;
use crate::waits::hang;

/// How often a thread that waits looks at what the others do.
const LOOK: Duration = Duration::from_millis(5);

/// For so long all others must be seen waiting, as one may have just been woken.
const SETTLE: Duration = Duration::from_millis(15);

/// The one of the process: made when an acquisition first asks for it, without one where the plan cannot be
/// read.
static RENDEZVOUS: OnceLock<Option<Rendezvous>> = OnceLock::new();

const OTHERS: Others<'static> =
    Others { queues_to_write: &queues_to_write, wait_for_event_with: &wait_for_event_with };

struct Rendezvous {
    plan: Plan,
    meeting: Mutex<Meeting>,
    changed: Condvar,
}

impl Rendezvous {
    fn of_process() -> Option<Rendezvous> {
        let path = observe(|o| o.config.confirm.clone())?;
        let _busy = Busy::new();
        let text = fs::read_to_string(&path);
        let Some(plan) = text.ok().and_then(|text| Plan::parse(&text)) else {
            let path = path.display();
            platform::print(&format!(
                "lockdep: there is no plan that could be read in `{path}` (LOCKDEP_CONFIRM), so no thread \
                 is held anywhere\n"
            ));
            return None;
        };
        Some(Rendezvous { plan, meeting: Mutex::default(), changed: Condvar::new() })
    }
}

/// The thread is about to ask for this lock, at this place: it waits for others where the plan says so.
#[cold]
pub(crate) fn come(record: OwnRecord, asks: HoldWord, site: Site) {
    let Some(rendezvous) = RENDEZVOUS.get_or_init(Rendezvous::of_process) else { return };
    let _busy = Busy::new();
    let mut held: Vec<HeldLock> = Vec::new();
    record.held.held_into(&mut held);
    if let Some(spot) = rendezvous.plan.spot(&held, site) {
        let thread = record.thread.load(Relaxed);
        rendezvous.wait(thread, |meeting, plan, now| {
            meeting.come(plan, (thread, spot), (&held, asks), now)
        });
    }
}

impl Rendezvous {
    /// Waits until the thread may go on; `come` says for how long at most.
    fn wait(
        &self,
        thread: ThreadId,
        come: impl FnOnce(&mut Meeting, &Plan, Instant) -> Option<Duration>,
    ) {
        let mut meeting = self.meeting.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = Instant::now();
        let Some(patience) = come(&mut meeting, &self.plan, begin) else { return };
        let mut quiet_since: Option<Instant> = None;
        loop {
            if meeting.settle(&self.plan, &OTHERS) {
                self.changed.notify_all();
            }
            if !meeting.is_here(thread) {
                return;
            }
            if begin.elapsed() >= patience {
                meeting.give_up(thread, Instant::now());
                return;
            }
            let is_here = |record: &Record| meeting.is_here(record.thread.load(Relaxed));
            quiet_since = match hang::all_wait_but(&is_here) {
                true => quiet_since.or_else(|| Some(Instant::now())),
                false => None,
            };
            if quiet_since.is_some_and(|since| since.elapsed() >= SETTLE) {
                quiet_since = None;
                meeting.let_one_go(Instant::now());
                self.changed.notify_all();
                continue;
            }
            let waited = self.changed.wait_timeout(meeting, LOOK);
            meeting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Whether a thread waits to write this lock.
fn queues_to_write(lock: LockId) -> bool {
    let wants = |asks: HoldWord| asks.lock() == lock && asks.mode() == Mode::Write;
    threads().iter().filter_map(ThreadSnapshot::wanted).any(wants)
}

/// Whether a thread that waits for an event, or for another thread to end, keeps this request waiting.
fn wait_for_event_with(asks: HoldWord) -> bool {
    let for_event = |seen: &ThreadSnapshot| match seen.awaited() {
        Some(Awaited::End(_) | Awaited::TaskEnd(_) | Awaited::Event(_)) => true,
        Some(
            Awaited::Lock(_) | Awaited::Permits(_) | Awaited::Unpark { .. } | Awaited::Timed(_),
        )
        | None => false,
    };
    threads().iter().any(|seen| for_event(seen) && seen.held.iter().any(|held| held.bars(asks)))
}
