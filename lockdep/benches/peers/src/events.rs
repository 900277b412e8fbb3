//! What is done with channels, threads, condition variables and barriers. The other detectors see
//! none of these, so there are two contenders: the standard library and this one.

use crate::measure::Batch;

/// The batches of one library, whose `sync` and `thread` have the names of std's.
pub struct Events {
    /// A message sent and received by one thread.
    pub channel: Batch,
    /// The same through a channel with bounds.
    pub bounded: Batch,
    /// A message there and one back, between two threads.
    pub ping_pong: Batch,
    /// A thread spawned and joined.
    pub join: Batch,
    /// A thread that takes one lock under another, spawned and joined.
    pub nest_join: Batch,
    /// That, after [`EARLIER_THREADS`] such threads.
    pub late_nest_join: Box<dyn FnOnce() -> Batch>,
    /// A notification for which nobody waits.
    pub notify: Batch,
    /// Two threads that wait for each other's turn.
    pub condvar: Batch,
    /// A barrier of one thread.
    pub barrier: Batch,
    /// A barrier of two threads.
    pub meeting: Batch,
}

/// How many threads came and went before the last of the rows of threads.
pub const EARLIER_THREADS: u32 = 16_000;

macro_rules! events {
    ($name:ident, $library:ident) => {
        pub fn $name() -> Events {
            use std::hint::black_box;
            use std::sync::Arc;
            use std::time::Instant;
            use $library::sync::mpsc::{channel, sync_channel};
            use $library::sync::{Barrier, Condvar, Mutex};
            use $library::thread;

            use crate::measure::repeat;

            let (sender, receiver) = channel();
            let one = repeat(move || {
                let _ = sender.send(1_u64);
                let _ = black_box(receiver.recv());
            });
            let (sender, receiver) = sync_channel(1);
            let bounded = repeat(move || {
                let _ = sender.send(1_u64);
                let _ = black_box(receiver.recv());
            });
            let (there, incoming) = channel::<u64>();
            let (outgoing, back) = channel();
            thread::spawn(move || {
                for message in incoming {
                    let _ = outgoing.send(message);
                }
            });
            let ping_pong = repeat(move || {
                let _ = there.send(1);
                let _ = black_box(back.recv());
            });
            let join = repeat(|| _ = thread::spawn(|| black_box(1)).join());
            let nesting_thread = || {
                let locks: Arc<(Mutex<u32>, Mutex<u32>)> = Arc::default();
                move || {
                    let locks = Arc::clone(&locks);
                    let nest = move || *locks.0.lock().unwrap() += *locks.1.lock().unwrap();
                    let _ = thread::spawn(nest).join();
                }
            };
            let nest_join = repeat(nesting_thread());
            let late_nest_join = Box::new(move || {
                let thread = nesting_thread();
                (0..EARLIER_THREADS).for_each(|_| thread());
                repeat(thread)
            });
            let condvar = Condvar::new();
            let notify = repeat(move || condvar.notify_one());
            // Even: the caller's turn.
            let turn: Arc<(Mutex<u32>, Condvar)> = Arc::default();
            let turns = move |times: u32| {
                *turn.0.lock().unwrap() = 0;
                let pass = |parity: u32, turn: &(Mutex<u32>, Condvar)| {
                    let mut now = turn.0.lock().unwrap();
                    while *now % 2 != parity {
                        now = turn.1.wait(now).unwrap();
                    }
                    *now += 1;
                    drop(now);
                    turn.1.notify_one();
                };
                let other = Arc::clone(&turn);
                let start = Instant::now();
                let odd = thread::spawn(move || (0..times).for_each(|_| pass(1, &other)));
                (0..times).for_each(|_| pass(0, &turn));
                let _ = odd.join();
                start.elapsed()
            };
            let alone = Barrier::new(1);
            let barrier = repeat(move || _ = black_box(alone.wait()));
            let meeting = |times: u32| {
                let barrier = Arc::new(Barrier::new(2));
                let other = Arc::clone(&barrier);
                let start = Instant::now();
                let second = thread::spawn(move || {
                    (0..times).for_each(|_| _ = black_box(other.wait()));
                });
                (0..times).for_each(|_| _ = black_box(barrier.wait()));
                let _ = second.join();
                start.elapsed()
            };
            Events {
                channel: one,
                bounded,
                ping_pong,
                join,
                nest_join,
                late_nest_join,
                notify,
                condvar: Box::new(turns),
                barrier,
                meeting: Box::new(meeting),
            }
        }
    };
}

events!(of_std, std);
events!(of_lockdep, lockdep);
