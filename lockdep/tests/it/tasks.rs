//! Tasks that wait for locks without blocking a thread, polled by hand, so that each step is where the test
//! puts it. What an executor and its locks tell by the hooks is told by the ones here.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use lockdep::finding::{Rule, Tier};
use lockdep::tasks::{Acquisition, AsyncLock, AsyncLockKind, Runs, Task, within};

use crate::isolated::{found, run, shown};

/// A fair mutex.
struct Mutex {
    lock: AsyncLock,
    state: RefCell<State>,
    /// Whether the next poll of a request ends before the request has a place in the queue.
    stops: Cell<bool>,
}

#[derive(Default)]
struct State {
    is_held: bool,
    /// Numbers of requests, in the order in which they are granted.
    queue: VecDeque<(u64, Waker)>,
    granted: Vec<u64>,
    next: u64,
}

struct Guard<'a>(&'a Mutex);

impl Mutex {
    #[track_caller]
    fn new() -> Mutex {
        Mutex::of(AsyncLockKind::Mutex)
    }

    #[track_caller]
    fn of(kind: AsyncLockKind) -> Mutex {
        let mut lock = AsyncLock::new();
        lock.becomes(kind, 1);
        Mutex { lock, state: RefCell::default(), stops: Cell::default() }
    }

    #[track_caller]
    fn lock(&self) -> impl Future<Output = Guard<'_>> {
        self.lock_at(Location::caller())
    }

    async fn lock_at(&self, site: &'static Location<'static>) -> Guard<'_> {
        let (mut acquisition, mut queued) =
            (Acquisition::of(1), Queued { mutex: self, number: None });
        poll_fn(|cx| {
            let _within = within(site, false);
            acquisition
                .poll(&self.lock, cx, Pin::new(&mut queued), |queued| queued.number.is_some())
        })
        .await
        .expect("it is never closed");
        queued.number = None;
        Guard(self)
    }

    /// Gives the lock to the next in the queue.
    fn pass_on(&self) {
        let next = {
            let mut state = self.state.borrow_mut();
            let next = state.queue.pop_front();
            match &next {
                Some((number, _)) => state.granted.push(*number),
                None => state.is_held = false,
            }
            next
        };
        if let Some((_, waker)) = next {
            waker.wake();
        }
    }
}

/// A request; dropped before it is granted, it leaves the queue.
struct Queued<'a> {
    mutex: &'a Mutex,
    number: Option<u64>,
}

impl Future for Queued<'_> {
    type Output = Result<(), ()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        if self.mutex.stops.take() {
            return Poll::Pending;
        }
        let mutex = self.mutex;
        let mut state = mutex.state.borrow_mut();
        match self.number {
            None if !state.is_held => {
                state.is_held = true;
                Poll::Ready(Ok(()))
            }
            None => {
                let number = state.next;
                state.next += 1;
                state.queue.push_back((number, cx.waker().clone()));
                self.number = Some(number);
                Poll::Pending
            }
            Some(number) => match state.granted.iter().position(|granted| *granted == number) {
                Some(at) => {
                    state.granted.swap_remove(at);
                    Poll::Ready(Ok(()))
                }
                None => {
                    let mut queue = state.queue.iter_mut();
                    let waiting = queue.find(|(other, _)| *other == number);
                    waiting.expect("it is in the queue").1.clone_from(cx.waker());
                    Poll::Pending
                }
            },
        }
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let mut state = self.mutex.state.borrow_mut();
        state.queue.retain(|(other, _)| *other != number);
        if let Some(at) = state.granted.iter().position(|granted| *granted == number) {
            state.granted.swap_remove(at);
            drop(state);
            self.mutex.pass_on();
        }
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.lock.released(1);
        self.0.pass_on();
    }
}

/// A task with its future.
struct Polled<'a> {
    task: Task,
    future: Option<Pin<Box<dyn Future<Output = ()> + 'a>>>,
}

#[track_caller]
fn spawn<'a>(future: impl Future<Output = ()> + 'a) -> Polled<'a> {
    Polled { task: Task::new(Location::caller(), Runs::Spawned), future: Some(Box::pin(future)) }
}

impl Polled<'_> {
    /// Polls once. Whether the task is finished.
    fn poll(&mut self) -> bool {
        let future = self.future.as_mut().expect("it is not finished");
        let mut cx = Context::from_waker(Waker::noop());
        let is_finished = self.task.poll(&mut cx, |cx| future.as_mut().poll(cx)).is_ready();
        if is_finished {
            self.drop_future();
        }
        is_finished
    }

    fn drop_future(&mut self) {
        let future = &mut self.future;
        self.task.drop_future(|| *future = None);
    }

    /// Polls once a task that ends with a panic.
    fn poll_and_panic(&mut self) {
        assert!(catch_unwind(AssertUnwindSafe(|| self.poll())).is_err(), "the poll panics");
        self.drop_future();
    }
}

/// Leaves the task unfinished once, with nothing that would wake it.
async fn pause() {
    let mut is_over = false;
    poll_fn(|_| match std::mem::replace(&mut is_over, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

/// As [`pause`], while somebody has a clone of the waker until `waker` is emptied.
async fn pause_until(waker: &RefCell<Option<Waker>>) {
    poll_fn(|cx| {
        *waker.borrow_mut() = Some(cx.waker().clone());
        Poll::<()>::Pending
    })
    .await;
}

#[test]
fn a_task_that_waits_for_what_it_holds_is_told_when_it_rests() {
    run("tasks::a_task_that_waits_for_what_it_holds_is_told_when_it_rests", || {
        let m = Mutex::new();
        let mut task = spawn(async {
            let _first = m.lock().await;
            pause().await;
            let _second = m.lock().await;
        });
        assert!(!task.poll());
        assert_eq!(found(), []);
        task.poll_and_panic();
        assert_eq!(found(), [(Rule::DoubleLock, Tier::Happened)]);
        // What it held is free again.
        assert!(spawn(async { drop(m.lock().await) }).poll());
    })
    .well();
}

/// A task that holds the mutex, and lets go of it in its second poll.
fn holding(m: &Mutex) -> Polled<'_> {
    let mut holder = spawn(async move {
        let _held = m.lock().await;
        pause().await;
    });
    assert!(!holder.poll());
    holder
}

#[test]
fn a_lock_that_was_given_to_a_future_that_nobody_polls_never_comes() {
    run("tasks::a_lock_that_was_given_to_a_future_that_nobody_polls_never_comes", || {
        let m = Mutex::new();
        let mut holder = holding(&m);
        let mut task = spawn(async {
            let mut first = pin!(m.lock());
            // The future is polled once, and left.
            poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_ready())).await;
            pause().await;
            let _second = m.lock().await;
        });
        assert!(!task.poll() && !task.poll());
        // Both have a clone of the waker; the holder may be slow.
        assert!(!task.poll());
        assert_eq!(found(), []);
        assert!(holder.poll());
        task.poll_and_panic();
        assert_eq!(found(), [(Rule::Futurelock, Tier::Happened)]);
        let finding = &lockdep::findings()[0];
        let lines: Vec<u32> = finding.sites.iter().map(|(site, _)| site.line()).collect();
        assert_eq!(lines[1], lines[0] + 4, "the place of each future");
        assert!(spawn(async { drop(m.lock().await) }).poll());
    })
    .well();
}

/// As where an executor has a task stop that has done much in one poll.
#[test]
fn a_request_that_is_not_in_the_queue_is_given_nothing() {
    run("tasks::a_request_that_is_not_in_the_queue_is_given_nothing", || {
        let m = Mutex::new();
        let mut holder = holding(&m);
        let mut task = spawn(async {
            m.stops.set(true);
            let mut first = pin!(m.lock());
            poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_ready())).await;
            pause().await;
            let _second = m.lock().await;
        });
        assert!(!task.poll() && !task.poll() && !task.poll());
        assert!(holder.poll() && task.poll());
        assert_eq!(found(), []);
    })
    .well();
}

#[test]
fn a_future_that_was_given_a_lock_may_be_polled_again() {
    run("tasks::a_future_that_was_given_a_lock_may_be_polled_again", || {
        let m = Mutex::new();
        // Both are polled in each poll of the task.
        let mut holder = holding(&m);
        let mut both = spawn(async {
            let (mut first, mut second) = (pin!(m.lock()), pin!(m.lock()));
            let mut is_first = true;
            poll_fn(|cx| {
                if is_first && first.as_mut().poll(cx).is_ready() {
                    is_first = false;
                }
                match is_first {
                    true => second.as_mut().poll(cx).map(drop),
                    false => Poll::Ready(()),
                }
            })
            .await;
        });
        assert!(!both.poll() && holder.poll() && both.poll());
        // It is sent to another task, which takes the lock.
        let mut holder = holding(&m);
        let sent = RefCell::new(None);
        let mut one = spawn(async {
            let mut first = Box::pin(m.lock());
            poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_ready())).await;
            *sent.borrow_mut() = Some(first);
            pause().await;
            let _second = m.lock().await;
        });
        assert!(!one.poll());
        let future = sent.borrow_mut().take().expect("it was sent");
        let mut other = spawn(async move { drop(future.await) });
        assert!(!other.poll());
        assert!(!one.poll() && holder.poll() && !one.poll());
        assert!(other.poll() && one.poll());
        assert_eq!(found(), []);
    })
    .well();
}

#[test]
fn two_tasks_on_one_thread_that_wait_for_each_other() {
    run("tasks::two_tasks_on_one_thread_that_wait_for_each_other", || {
        let (a, b) = (Mutex::new(), Mutex::new());
        let nested = |outer, inner| async move {
            let _outer: Guard<'_> = Mutex::lock(outer).await;
            pause().await;
            let _inner = Mutex::lock(inner).await;
        };
        let (mut one, mut other) = (spawn(nested(&a, &b)), spawn(nested(&b, &a)));
        assert!(!one.poll() && !other.poll());
        assert!(!one.poll());
        assert_eq!(found(), []);
        other.poll_and_panic();
        assert!(found().contains(&(Rule::Deadlock, Tier::Happened)), "{:?}", found());
        assert!(one.poll(), "the other one's locks are free");
    })
    .well();
}

#[test]
fn a_task_that_something_else_can_wake_is_not_stuck() {
    run("tasks::a_task_that_something_else_can_wake_is_not_stuck", || {
        let (m, alarm) = (Mutex::new(), RefCell::new(None));
        let mut task = spawn(async {
            let _first = m.lock().await;
            let (mut lock, mut time) = (pin!(m.lock()), pin!(pause_until(&alarm)));
            // As a time-out does.
            poll_fn(|cx| {
                assert!(lock.as_mut().poll(cx).is_pending() && time.as_mut().poll(cx).is_pending());
                Poll::<()>::Pending
            })
            .await;
        });
        assert!(!task.poll());
        assert_eq!(found(), []);
        task.drop_future();
    })
    .well();
}

#[test]
fn a_request_of_a_set_of_futures_is_not_the_tasks() {
    run("tasks::a_request_of_a_set_of_futures_is_not_the_tasks", || {
        let m = Mutex::new();
        let mut task = spawn(async {
            let _first = m.lock().await;
            let mut lock = pin!(m.lock());
            // A set has wakers of its own, and one clone of the task's.
            let kept: RefCell<Option<Waker>> = RefCell::new(None);
            poll_fn(|cx| {
                *kept.borrow_mut() = Some(cx.waker().clone());
                assert!(lock.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
                Poll::<()>::Pending
            })
            .await;
        });
        assert!(!task.poll());
        assert_eq!(found(), []);
        task.drop_future();
    })
    .well();
}

#[test]
fn a_request_that_was_dropped_leaves_nothing() {
    run("tasks::a_request_that_was_dropped_leaves_nothing", || {
        let (a, b) = (Mutex::new(), Mutex::new());
        let mut holder = spawn(async {
            let _b = b.lock().await;
            pause().await;
            let _a = a.lock().await;
        });
        let mut gives_up = spawn(async {
            let _a = a.lock().await;
            {
                let mut request = pin!(b.lock());
                let mut is_first = true;
                poll_fn(|cx| match std::mem::replace(&mut is_first, false) {
                    true => request.as_mut().poll(cx).map(drop),
                    false => Poll::Ready(()),
                })
                .await;
            }
            pause().await;
        });
        assert!(!holder.poll() && !gives_up.poll() && !gives_up.poll());
        assert!(!holder.poll(), "it waits for a lock that its holder will release");
        assert!(!found().iter().any(|(rule, _)| *rule == Rule::Deadlock), "{:?}", found());
        assert!(gives_up.poll() && holder.poll());
    })
    .well();
}

#[test]
fn tasks_that_one_thread_polls_can_meet() {
    run("tasks::tasks_that_one_thread_polls_can_meet", || {
        let (a, b) = (Mutex::new(), Mutex::new());
        let nested = |outer, inner| async move {
            let _outer: Guard<'_> = Mutex::lock(outer).await;
            let _inner = Mutex::lock(inner).await;
        };
        let (mut one, mut other) = (spawn(nested(&a, &b)), spawn(nested(&b, &a)));
        assert!(one.poll() && other.poll());
        assert_eq!(found(), [(Rule::LockOrder, Tier::Reachable)]);
    })
    .well();
}

#[test]
fn a_task_that_was_awaited_comes_before_what_follows() {
    run("tasks::a_task_that_was_awaited_comes_before_what_follows", || {
        let (a, b) = (Mutex::new(), Mutex::new());
        let first = Rc::new(RefCell::new(None));
        let mut parent = spawn({
            let (a, b, first) = (&a, &b, first.clone());
            async move {
                let mut child = spawn(async {
                    let _a = a.lock().await;
                    let _b = b.lock().await;
                });
                assert!(child.poll());
                child.task.joined();
                *first.borrow_mut() = Some(child.task);
                let mut second = spawn(async {
                    let _b = b.lock().await;
                    let _a = a.lock().await;
                });
                assert!(second.poll());
            }
        });
        assert!(parent.poll());
        assert_eq!(shown(), []);
        assert_eq!(found(), [(Rule::LockOrder, Tier::Ordered)]);
    })
    .well();
}

#[test]
fn two_futures_of_one_task_show_no_order() {
    run("tasks::two_futures_of_one_task_show_no_order", || {
        let (a, b, alarm) = (Mutex::new(), Mutex::new(), RefCell::new(None));
        let mut joins = spawn(async {
            let mut holds = pin!(async {
                let _a = a.lock().await;
                pause_until(&alarm).await;
            });
            let mut takes = pin!(async { drop(b.lock().await) });
            poll_fn(|cx| {
                assert!(holds.as_mut().poll(cx).is_pending());
                takes.as_mut().poll(cx)
            })
            .await;
        });
        let mut other = spawn(async {
            let _b = b.lock().await;
            let _a = a.lock().await;
        });
        assert!(joins.poll());
        assert!(other.poll());
        assert_eq!(found(), [], "the first holds `a` whatever becomes of the request for `b`");
    })
    .well();
}

#[test]
fn futures_of_a_set_show_no_order() {
    run("tasks::futures_of_a_set_show_no_order", || {
        let (a, b) = (Mutex::new(), Mutex::new());
        let mut set = spawn(async {
            let mut holds = pin!(async {
                let _a = a.lock().await;
                pause().await;
            });
            let mut takes = pin!(async { drop(b.lock().await) });
            // The set has a clone of the task's waker before any of its futures is polled.
            let kept: RefCell<Option<Waker>> = RefCell::new(None);
            poll_fn(|cx| {
                *kept.borrow_mut() = Some(cx.waker().clone());
                let mut own = Context::from_waker(Waker::noop());
                assert!(holds.as_mut().poll(&mut own).is_pending());
                takes.as_mut().poll(&mut own)
            })
            .await;
        });
        let mut other = spawn(async {
            let _b = b.lock().await;
            let _a = a.lock().await;
        });
        assert!(set.poll() && other.poll());
        assert_eq!(found(), [], "the set releases `a` whatever becomes of the request for `b`");
    })
    .well();
}

#[test]
fn what_a_thread_runs_itself_is_the_threads() {
    run("tasks::what_a_thread_runs_itself_is_the_threads", || {
        let (a, b) = (Mutex::new(), Mutex::new());
        let block_on = |future: Pin<Box<dyn Future<Output = ()> + '_>>| {
            let task = Task::new(Location::caller(), Runs::BlockOn);
            let mut future = Some(future);
            let mut polled = || {
                let mut cx = Context::from_waker(Waker::noop());
                let future = future.as_mut().expect("it is there until it is finished");
                task.poll(&mut cx, |cx| future.as_mut().poll(cx)).is_ready()
            };
            while !polled() {}
            task.drop_future(|| future = None);
        };
        block_on(Box::pin(async {
            let _a = a.lock().await;
            pause().await;
            let _b = b.lock().await;
        }));
        block_on(Box::pin(async {
            let _b = b.lock().await;
            pause().await;
            let _a = a.lock().await;
        }));
        assert_eq!(found(), [(Rule::LockOrder, Tier::NeedsThread)], "one thread did both");
    })
    .well();
}

#[test]
fn a_guard_that_another_task_drops_was_sent() {
    run("tasks::a_guard_that_another_task_drops_was_sent", || {
        let (a, b) = (Mutex::new(), Mutex::new());
        let sent = RefCell::new(None);
        let mut gives = spawn(async {
            *sent.borrow_mut() = Some(a.lock().await);
        });
        assert!(gives.poll());
        let mut takes = spawn(async { drop(sent.take()) });
        assert!(takes.poll());
        let mut again = spawn(async {
            let _a = a.lock().await;
            let _b = b.lock().await;
        });
        assert!(again.poll(), "the lock is free");
        assert_eq!(found(), []);
    })
    .well();
}

#[test]
fn a_lock_of_std_in_a_poll_is_the_tasks_too() {
    run("tasks::a_lock_of_std_in_a_poll_is_the_tasks_too", || {
        let (a, std) = (Mutex::new(), lockdep::sync::Mutex::new(()));
        let mut one = spawn(async {
            let _a = a.lock().await;
            pause().await;
            let _std = std.lock().unwrap();
        });
        let mut other = spawn(async {
            let _std = std.lock().unwrap();
            let _a = a.lock().await;
        });
        assert!(!one.poll() && one.poll() && other.poll());
        assert_eq!(found(), [(Rule::LockOrder, Tier::Reachable)]);
    })
    .well();
}

#[test]
fn a_thousand_tasks_that_come_and_go_use_few_records() {
    let ended = run("tasks::a_thousand_tasks_that_come_and_go_use_few_records", || {
        let (a, b) = (Mutex::new(), Mutex::new());
        for _ in 0..1000 {
            let mut task = spawn(async {
                let _a = a.lock().await;
                pause().await;
                let _b = b.lock().await;
            });
            assert!(!task.poll() && task.poll());
        }
        let dump = lockdep::dump();
        assert!(dump.len() < 2000, "{dump}");
        assert_eq!(found(), []);
    })
    .well();
    let counts = ended.trace.lines().rfind(|line| line.contains(r#""t":"counts""#));
    let counts = counts.expect("the totals are written at the end");
    assert!(counts.contains(r#""acquisitions":2000"#), "{counts}");
}

#[test]
fn of_many_tasks_that_do_the_same_some_tell() {
    let ended = run("tasks::of_many_tasks_that_do_the_same_some_tell", || {
        let (a, b) = (Mutex::new(), Mutex::new());
        let nested = |outer, inner| async move {
            let _outer: Guard<'_> = Mutex::lock(outer).await;
            let _inner = Mutex::lock(inner).await;
        };
        for _ in 0..200 {
            assert!(spawn(nested(&a, &b)).poll());
        }
        assert_eq!(found(), []);
        assert!(spawn(nested(&b, &a)).poll());
        assert_eq!(found(), [(Rule::LockOrder, Tier::Reachable)]);
    })
    .well();
    let told = ended.trace.lines().filter(|line| line.contains(r#""t":"thread""#)).count();
    assert!(told < 20, "{told} are in the trace");
}

#[test]
fn two_tasks_that_do_the_same_are_told_apart() {
    run("tasks::two_tasks_that_do_the_same_are_told_apart", || {
        let (a, b) = (Mutex::new(), Mutex::new());
        let nested = |outer, inner| async move {
            let _outer: Guard<'_> = Mutex::lock(outer).await;
            let _inner = Mutex::lock(inner).await;
        };
        let both = || async {
            nested(&a, &b).await;
            nested(&b, &a).await;
        };
        assert!(spawn(both()).poll());
        assert_eq!(found(), [(Rule::LockOrder, Tier::NeedsThread)], "one task does both");
        assert!(spawn(both()).poll());
        assert!(found().contains(&(Rule::LockOrder, Tier::Reachable)), "{:?}", found());
    })
    .well();
}
