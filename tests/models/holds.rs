//! A stack of held locks, and those that read it or end a hold of it.

use std::panic::Location;

use loom::model::Builder;
use loom::sync::Arc;
use loom::thread;

use super::held_stack::HeldStack;
use super::wait::{Awaited, WaitSlot};
use crate::model::held::Prepared;
use crate::model::lock::Mode;
use crate::model::word::{LockWord, parts};

/// As many locks as a new stack has room for.
const ROOM: u64 = 31;

fn lock(serial: u64) -> LockWord {
    LockWord::new(7, serial)
}

fn push(stack: &HeldStack, serial: u64) {
    let (word, site) = (lock(serial).held(Mode::Write, false), Location::caller());
    let prepared = Prepared { word, context: stack.context(word, site, 0) };
    stack.push(prepared, site, 0, 0);
}

fn pop(stack: &HeldStack, serial: u64) {
    assert!(stack.pop(lock(serial), Mode::Write));
}

/// The serial numbers of the locks that are held, outermost first.
fn held(stack: &HeldStack) -> Vec<u64> {
    let mut held = Vec::new();
    stack.each_held(|lock, _| held.push(parts(lock.word.lock()).1));
    held
}

/// A thread as others see it.
struct Thread {
    wait: WaitSlot,
    held: HeldStack,
}

impl Thread {
    fn new() -> Thread {
        Thread { wait: WaitSlot::default(), held: HeldStack::new() }
    }

    fn wants(&self, serial: u64) {
        self.wait.begin(
            Awaited::Lock(lock(serial).held(Mode::Write, false)),
            0,
            0,
            Location::caller(),
        );
    }

    /// The lock that it waits for and those that it holds meanwhile.
    fn seen(&self) -> Option<(u64, Vec<u64>)> {
        let wait = self.wait.seen()?;
        let held = held(&self.held);
        let wanted = wait.awaited.lock().map(|word| parts(word.lock()).1)?;
        self.wait.still(wait.sequence).then_some((wanted, held))
    }
}

/// In whatever way the thread came to hold it: pushed, put in the place of another, or left when the
/// one above it or below it was released.
pub fn what_a_thread_holds_while_it_waits_is_seen_exactly() {
    let mut model = Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let thread = Arc::new(Thread::new());
        push(&thread.held, 1);
        let reader = thread::spawn({
            let thread = thread.clone();
            move || match thread.seen() {
                None => {}
                Some((10, held)) => assert_eq!(held, [1, 2]),
                Some((20, held)) => assert_eq!(held, [2]),
                Some((30, held)) => assert_eq!(held, [3]),
                seen => panic!("{seen:?}"),
            }
        });
        push(&thread.held, 2);
        thread.wants(10);
        thread.wait.end();
        assert!(thread.held.pop_below_top(lock(1), Mode::Write));
        thread.wants(20);
        thread.wait.end();
        pop(&thread.held, 2);
        push(&thread.held, 3);
        thread.wants(30);
        reader.join().unwrap();
    });
}

/// What was held before is seen in the old buffer and in the new one.
pub fn whoever_reads_a_stack_that_grows_sees_whole_entries() {
    let mut model = Builder::new();
    model.preemption_bound = Some(2);
    model.max_branches = 10_000;
    model.check(|| {
        let stack = Arc::new(HeldStack::new());
        (1..=ROOM).for_each(|serial| push(&stack, serial));
        let reader = thread::spawn({
            let stack = stack.clone();
            move || {
                let held = held(&stack);
                assert!(held.len() as u64 >= ROOM, "{held:?}");
                assert!(held.iter().copied().eq(1..=held.len() as u64), "{held:?}");
            }
        });
        push(&stack, ROOM + 1);
        reader.join().unwrap();
        assert!(held(&stack).into_iter().eq(1..=ROOM + 1));
    });
}

/// The owner takes the hold off once, whenever it looks, and nobody sees it any more.
pub fn a_hold_that_ends_elsewhere_is_taken_off_once() {
    let mut model = Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let stack = Arc::new(HeldStack::new());
        push(&stack, 1);
        push(&stack, 2);
        let other = thread::spawn({
            let stack = stack.clone();
            move || {
                assert!(stack.release_elsewhere(lock(1), Mode::Write));
                assert!(!held(&stack).contains(&1));
            }
        });
        let mut over = Vec::new();
        let mut take = || {
            stack.take_released_elsewhere(|ended| over.push(parts(ended.word.lock()).1));
        };
        take();
        other.join().unwrap();
        take();
        assert_eq!(over, [1]);
        assert_eq!(held(&stack), [2]);
    });
}
