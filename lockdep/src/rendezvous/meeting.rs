//! Which threads have come to the positions of a plan, and when they may go on.
//!
//! Each of them holds a lock and is about to ask for another. Once every position is taken, and each thread
//! asks for what another of them holds, all go on: then none can. A thread that waits in vain goes on alone.

use std::time::{Duration, Instant};

use crate::model::held::HeldLock;
use crate::model::ids::{LockId, ThreadId};
use crate::model::lock::Mode;
use crate::model::word::HoldWord;
use crate::rendezvous::plan::{Plan, Position, Spot};

/// So many steps are made in search of a circle among the threads that are here.
const MOST_STEPS: u32 = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Meeting {
    /// Who is here, in the order of coming.
    here: Vec<Comer>,
    /// How often each thread has come to each spot.
    comings: Vec<(ThreadId, Spot, u32)>,
    /// How long threads have waited at each spot in vain, together.
    in_vain: Vec<(Spot, Duration)>,
    /// All have met: nobody waits any more.
    is_over: bool,
}

/// A thread that has come.
#[derive(Debug)]
struct Comer {
    thread: ThreadId,
    spot: Spot,
    since: Instant,
    comings: u32,
    held: Vec<HoldWord>,
    asks: HoldWord,
}

/// What the threads that are not here do.
pub(super) struct Others<'a> {
    /// Whether one of them waits to write this lock.
    pub(super) queues_to_write: &'a dyn Fn(LockId) -> bool,
    /// Whether one of them holds what this is a request for, while it waits for an event.
    pub(super) wait_for_event_with: &'a dyn Fn(HoldWord) -> bool,
}

impl Meeting {
    /// The thread has come to this spot, now. Returns how long it is to wait at most; `None` where it need not.
    /// That is half of what is left of twice the plan's patience, which all that wait here in vain have together:
    /// so a loop does not take for ever.
    pub(super) fn come(
        &mut self,
        plan: &Plan,
        (thread, spot): (ThreadId, Spot),
        (held, asks): (&[HeldLock], HoldWord),
        now: Instant,
    ) -> Option<Duration> {
        let may_follow = matches!(spot, Spot::Before(last) if self.all_are_taken_but(plan, last));
        if self.is_over || may_follow {
            return None;
        }
        let known = self.in_vain.iter().find(|(known, _)| *known == spot);
        let in_vain = known.map_or(Duration::ZERO, |it| it.1);
        let patience = plan.patience.saturating_sub(in_vain / 2);
        if patience < Duration::from_millis(1) {
            return None;
        }
        let known = self.comings.iter_mut().find(|it| (it.0, it.1) == (thread, spot));
        let comings = match known {
            Some((.., comings)) => {
                *comings += 1;
                *comings
            }
            None => {
                self.comings.push((thread, spot, 1));
                1
            }
        };
        let held = held.iter().map(|held| held.word).collect();
        self.here.push(Comer { thread, spot, since: now, comings, held, asks });
        Some(patience)
    }

    /// Whether this thread still has to wait.
    pub(super) fn is_here(&self, thread: ThreadId) -> bool {
        self.here.iter().any(|comer| comer.thread == thread)
    }

    /// This thread has waited for as long as it was to.
    pub(super) fn give_up(&mut self, thread: ThreadId, now: Instant) {
        if let Some(at) = self.here.iter().position(|comer| comer.thread == thread) {
            self.leave_in_vain(at, now);
        }
    }

    /// Nobody else can come: one of the threads goes on alone. That is one which is to come last, else the
    /// one that has come here most often and so is likely to come again, else the one that came first.
    pub(super) fn let_one_go(&mut self, now: Instant) {
        let key = |comer: &Comer| (matches!(comer.spot, Spot::Before(_)), comer.comings);
        // Of several that are equal the last one is found, so they are looked at in reverse.
        let one = (0..self.here.len()).rev().max_by_key(|&at| key(&self.here[at]));
        if let Some(one) = one {
            self.leave_in_vain(one, now);
        }
    }

    fn leave_in_vain(&mut self, at: usize, now: Instant) {
        let Comer { spot, since, .. } = self.here.remove(at);
        let waited = now.saturating_duration_since(since);
        match self.in_vain.iter_mut().find(|(known, _)| *known == spot) {
            Some((_, time)) => *time += waited,
            None => self.in_vain.push((spot, waited)),
        }
    }

    /// Lets threads go on where that leads to what the plan is for. Returns whether any may go.
    pub(super) fn settle(&mut self, plan: &Plan, others: &Others<'_>) -> bool {
        if self.is_over {
            return false;
        }
        let on_the_way = self.here.iter().any(|comer| {
            let at = |at: usize| matches!(plan.positions[at], Position::OnTheWay { .. });
            matches!(comer.spot, Spot::At(number) if at(number))
                && (others.wait_for_event_with)(comer.asks)
        });
        if on_the_way || self.has_circle(plan, others) {
            self.here.clear();
            self.is_over = true;
            return true;
        }
        let last = plan.last.filter(|&last| self.all_are_taken_but(plan, last));
        let Some(last) = last else { return false };
        let before = self.here.len();
        self.here.retain(|comer| comer.spot != Spot::Before(last));
        self.here.len() < before
    }

    /// Whether a thread stands at each position but the one that is to be taken last.
    fn all_are_taken_but(&self, plan: &Plan, last: usize) -> bool {
        let is_taken = |at: usize| self.here.iter().any(|comer| comer.spot == Spot::At(at));
        (0..plan.positions.len()).all(|at| at == last || is_taken(at))
    }

    /// Whether some threads stand at all positions, and each asks for what the next one holds.
    fn has_circle(&self, plan: &Plan, others: &Others<'_>) -> bool {
        let mut search = Search { here: &self.here, plan, others, steps: 0 };
        (0..self.here.len()).any(|first| search.closes(&mut vec![first]))
    }
}

struct Search<'a> {
    here: &'a [Comer],
    plan: &'a Plan,
    others: &'a Others<'a>,
    steps: u32,
}

impl Search<'_> {
    /// Whether this way, in which each thread asks for what the next one holds, can be made a circle over
    /// all positions, of as many threads as the plan says.
    fn closes(&mut self, way: &mut Vec<usize>) -> bool {
        let (first, last) = (way[0], way[way.len() - 1]);
        for next in 0..self.here.len() {
            self.steps += 1;
            if self.steps > MOST_STEPS {
                return false;
            }
            if !self.bars(&self.here[next], self.here[last].asks) {
                continue;
            }
            let is_whole = way.len() == self.plan.threads;
            if next == first && is_whole && self.is_over_all_positions(way) {
                return true;
            }
            if !is_whole && !way.contains(&next) {
                way.push(next);
                if self.closes(way) {
                    return true;
                }
                way.pop();
            }
        }
        false
    }

    /// Whether what the thread holds keeps this request waiting.
    fn bars(&self, comer: &Comer, asks: HoldWord) -> bool {
        comer.held.iter().filter(|held| held.lock() == asks.lock()).any(|held| {
            let behind_writer = || {
                Mode::conflicts_behind_writer(held.mode(), asks.mode())
                    && (self.others.queues_to_write)(asks.lock())
            };
            Mode::conflicts(held.mode(), asks.mode()) || behind_writer()
        })
    }

    fn is_over_all_positions(&self, way: &[usize]) -> bool {
        (0..self.plan.positions.len())
            .all(|at| way.iter().any(|&comer| self.here[comer].spot == Spot::At(at)))
    }
}

#[cfg(test)]
mod tests {
    use std::panic::Location;
    use std::time::{Duration, Instant};

    use super::{Meeting, Others};
    use crate::model::held::HeldLock;
    use crate::model::lock::Mode;
    use crate::model::word::{HoldWord, LockWord};
    use crate::rendezvous::plan::{Plan, Spot};

    const ALONE: Others<'static> =
        Others { queues_to_write: &|_| false, wait_for_event_with: &|_| false };

    fn plan(lines: &str) -> Plan {
        Plan::parse(&format!("lockdep-plan\t1\npatience\t8\nthreads\t2\n{lines}"))
            .expect("it is one")
    }

    fn two_positions() -> Plan {
        plan("position\ta.rs:1:1\ta.rs:2:1\nposition\tb.rs:1:1\tb.rs:2:1\n")
    }

    fn word(lock: u64, mode: Mode) -> HoldWord {
        LockWord::new(1, lock).held(mode, false)
    }

    fn comes(
        meeting: &mut Meeting,
        plan: &Plan,
        who: (u32, Spot),
        (held, asked): (HoldWord, HoldWord),
    ) -> Option<Duration> {
        let held = HeldLock { word: held, site: Location::caller(), address: 0, level: 0 };
        meeting.come(plan, who, (&[held], asked), Instant::now())
    }

    #[test]
    fn threads_go_on_together_once_each_asks_for_what_the_other_has() {
        let (plan, mut meeting) = (two_positions(), Meeting::default());
        let [a, b] = [1, 2].map(|lock| word(lock, Mode::Write));
        assert!(comes(&mut meeting, &plan, (1, Spot::At(0)), (a, b)).is_some());
        assert!(!meeting.settle(&plan, &ALONE) && meeting.is_here(1));
        assert!(comes(&mut meeting, &plan, (2, Spot::At(1)), (b, a)).is_some());
        assert!(meeting.settle(&plan, &ALONE));
        assert!(!meeting.is_here(1) && !meeting.is_here(2));
        assert_eq!(comes(&mut meeting, &plan, (3, Spot::At(0)), (a, b)), None, "it is over");
    }

    #[test]
    fn other_locks_of_the_same_places_are_no_circle() {
        let (plan, mut meeting) = (two_positions(), Meeting::default());
        let [a, b, c, d] = [1, 2, 3, 4].map(|lock| word(lock, Mode::Write));
        _ = comes(&mut meeting, &plan, (1, Spot::At(0)), (a, b));
        _ = comes(&mut meeting, &plan, (2, Spot::At(1)), (c, d));
        assert!(!meeting.settle(&plan, &ALONE));
    }

    #[test]
    fn a_circle_that_leaves_a_position_out_is_another_one() {
        let (plan, mut meeting) = (two_positions(), Meeting::default());
        let [a, b] = [1, 2].map(|lock| word(lock, Mode::Write));
        _ = comes(&mut meeting, &plan, (1, Spot::At(0)), (a, b));
        _ = comes(&mut meeting, &plan, (2, Spot::At(0)), (b, a));
        assert!(!meeting.settle(&plan, &ALONE));
    }

    #[test]
    fn readers_are_a_circle_once_writers_queue() {
        let (plan, mut meeting) = (two_positions(), Meeting::default());
        let [a, b] = [1, 2].map(|lock| word(lock, Mode::Read));
        _ = comes(&mut meeting, &plan, (1, Spot::At(0)), (a, b));
        _ = comes(&mut meeting, &plan, (2, Spot::At(1)), (b, a));
        assert!(!meeting.settle(&plan, &ALONE));
        let queued = Others { queues_to_write: &|_| true, ..ALONE };
        assert!(meeting.settle(&plan, &queued));
    }

    #[test]
    fn five_at_one_position_are_a_circle_of_five() {
        let plan = plan("position\ta.rs:1:1\ta.rs:2:1\nthreads\t5\n");
        let mut meeting = Meeting::default();
        let fork = |seat: u32| word(u64::from(seat % 5) + 1, Mode::Write);
        for seat in 0..5 {
            assert!(!meeting.settle(&plan, &ALONE));
            _ = comes(&mut meeting, &plan, (seat, Spot::At(0)), (fork(seat), fork(seat + 1)));
        }
        assert!(meeting.settle(&plan, &ALONE));
    }

    #[test]
    fn a_circle_of_other_length_is_another_one() {
        let plan = plan("position\ta.rs:1:1\ta.rs:2:1\nthreads\t3\n");
        let mut meeting = Meeting::default();
        let [a, b] = [1, 2].map(|lock| word(lock, Mode::Write));
        _ = comes(&mut meeting, &plan, (1, Spot::At(0)), (a, b));
        _ = comes(&mut meeting, &plan, (2, Spot::At(0)), (b, a));
        assert!(!meeting.settle(&plan, &ALONE));
    }

    #[test]
    fn a_thread_waits_half_as_long_where_it_has_waited_in_vain() {
        let (plan, mut meeting) = (two_positions(), Meeting::default());
        let locks = (word(1, Mode::Write), word(2, Mode::Write));
        let mut waits = Vec::new();
        let (held, asks) = locks;
        let held = [HeldLock { word: held, site: Location::caller(), address: 0, level: 0 }];
        let mut now = Instant::now();
        while let Some(time) = meeting.come(&plan, (1, Spot::At(0)), (&held, asks), now) {
            waits.push(time.as_millis());
            now += time;
            meeting.give_up(1, now);
        }
        assert_eq!(waits, [8, 4, 2, 1]);
    }

    #[test]
    fn of_those_that_are_stuck_the_one_goes_on_that_will_come_again() {
        let (plan, mut meeting) = (two_positions(), Meeting::default());
        let locks = (word(1, Mode::Write), word(2, Mode::Write));
        _ = comes(&mut meeting, &plan, (1, Spot::At(0)), locks);
        _ = comes(&mut meeting, &plan, (2, Spot::At(1)), locks);
        meeting.let_one_go(Instant::now());
        assert!(!meeting.is_here(1) && meeting.is_here(2), "the first one");
        _ = comes(&mut meeting, &plan, (1, Spot::At(0)), locks);
        meeting.let_one_go(Instant::now());
        assert!(!meeting.is_here(1) && meeting.is_here(2), "the one that came twice");
    }

    #[test]
    fn the_last_one_comes_once_all_others_are_there() {
        let plan = plan("position\ta.rs:1:1\ta.rs:2:1\nposition\tb.rs:1:1\tb.rs:2:1\nlast\t0\n");
        let mut meeting = Meeting::default();
        let [a, b, c] = [1, 2, 3].map(|lock| word(lock, Mode::Write));
        assert!(comes(&mut meeting, &plan, (1, Spot::Before(0)), (c, a)).is_some());
        assert!(!meeting.settle(&plan, &ALONE));
        _ = comes(&mut meeting, &plan, (2, Spot::At(1)), (b, a));
        assert!(meeting.settle(&plan, &ALONE));
        assert!(!meeting.is_here(1) && meeting.is_here(2));
        _ = comes(&mut meeting, &plan, (1, Spot::At(0)), (a, b));
        assert!(meeting.settle(&plan, &ALONE) && !meeting.is_here(2));
    }

    #[test]
    fn on_the_way_to_an_event_a_thread_waits_for_who_waits_for_it() {
        let plan = plan("way\ta.rs:2:1\n");
        let mut meeting = Meeting::default();
        let asked = word(2, Mode::Write);
        assert!(meeting.come(&plan, (1, Spot::At(0)), (&[], asked), Instant::now()).is_some());
        assert!(!meeting.settle(&plan, &ALONE));
        let waits = |request: HoldWord| request.lock() == asked.lock();
        assert!(meeting.settle(&plan, &Others { wait_for_event_with: &waits, ..ALONE }));
        assert!(!meeting.is_here(1));
    }
}
