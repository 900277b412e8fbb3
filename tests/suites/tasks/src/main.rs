//! What tokio's locks, channels and tasks cost: a line for each row, its name, a tab and a number, nanoseconds
//! or bytes for each operation; only the rows whose names contain the first argument, if there is one. The same program plain and under `cargo lockcheck run` shows what watching
//! costs.

use std::env;
use std::fs;
use std::future::pending;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Mutex, RwLock, mpsc};

/// Operations of one measurement.
const OPERATIONS: u32 = 200_000;
/// Measurements of a row, of which the least counts.
const ROUNDS: usize = 5;
/// Tasks that are idle at once, whose memory is measured.
const IDLE: usize = 50_000;

fn main() {
    let single = Builder::new_current_thread().build().expect("a runtime");
    let several = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");

    row("lock, unlock", || single.block_on(single.spawn(lock())).expect("no panic"));
    row("lock, unlock in block_on", || single.block_on(lock()));
    row("two locks nested", || single.block_on(single.spawn(nested())).expect("no panic"));
    row("read, unlock", || single.block_on(single.spawn(read())).expect("no panic"));
    row("bounded send, recv", || single.block_on(single.spawn(bounded())).expect("no panic"));
    row("unbounded send, recv", || single.block_on(single.spawn(unbounded())).expect("no panic"));
    row("spawn, join", || spawn_and_join(&several));
    row("spawn, lock, join", || spawn_lock_and_join(&several));
    for (tasks, locks) in [(10_000, 100), (100_000, 1_000)] {
        row(&format!("one of {tasks} tasks, three of {locks} locks one by one"), || {
            service(&several, tasks, locks, false)
        });
        row(&format!("one of {tasks} tasks, three of {locks} locks, two nested"), || {
            service(&several, tasks, locks, true)
        });
    }
    for (name, locks) in
        [("memory of an idle task", false), ("memory of an idle one that has locked", true)]
    {
        if is_wanted(name) {
            println!("{name}\t{}", idle(&several, locks));
        }
    }
}

fn is_wanted(row: &str) -> bool {
    env::args().nth(1).is_none_or(|part| row.starts_with(&part))
}

/// Prints the least of several measurements.
fn row(name: &str, mut measure: impl FnMut() -> f64) {
    if !is_wanted(name) {
        return;
    }
    let least = (0..ROUNDS).map(|_| measure()).fold(f64::INFINITY, f64::min);
    println!("{name}\t{least:.1}");
}

fn each(begun: Instant, operations: u32) -> f64 {
    begun.elapsed().as_nanos() as f64 / f64::from(operations)
}

async fn lock() -> f64 {
    let lock = Mutex::new(0_u32);
    let begun = Instant::now();
    for _ in 0..OPERATIONS {
        *lock.lock().await += 1;
    }
    let taken = each(begun, OPERATIONS);
    assert_eq!(*lock.lock().await, OPERATIONS);
    taken
}

async fn nested() -> f64 {
    let (outer, inner) = (Mutex::new(0_u32), Mutex::new(0_u32));
    let begun = Instant::now();
    for _ in 0..OPERATIONS {
        let mut outer = outer.lock().await;
        *inner.lock().await += *outer;
        *outer = 1;
    }
    let taken = each(begun, OPERATIONS);
    assert_eq!(*inner.lock().await, OPERATIONS - 1);
    taken
}

async fn read() -> f64 {
    let lock = RwLock::new(1_u32);
    let mut sum = 0;
    let begun = Instant::now();
    for _ in 0..OPERATIONS {
        sum += *lock.read().await;
    }
    let taken = each(begun, OPERATIONS);
    assert_eq!(sum, OPERATIONS);
    taken
}

async fn bounded() -> f64 {
    let (sender, mut receiver) = mpsc::channel(16);
    let begun = Instant::now();
    for number in 0..OPERATIONS {
        sender.send(number).await.expect("there is a receiver");
        black_box(receiver.recv().await);
    }
    each(begun, OPERATIONS)
}

async fn unbounded() -> f64 {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let begun = Instant::now();
    for number in 0..OPERATIONS {
        sender.send(number).expect("there is a receiver");
        black_box(receiver.recv().await);
    }
    each(begun, OPERATIONS)
}

fn spawn_and_join(runtime: &Runtime) -> f64 {
    runtime.block_on(async {
        let begun = Instant::now();
        for number in 0..OPERATIONS {
            let task = tokio::spawn(async move { number });
            black_box(task.await.expect("no panic"));
        }
        each(begun, OPERATIONS)
    })
}

fn spawn_lock_and_join(runtime: &Runtime) -> f64 {
    let lock = Arc::new(Mutex::new(0_u32));
    runtime.block_on(async {
        let begun = Instant::now();
        for _ in 0..OPERATIONS {
            let lock = Arc::clone(&lock);
            tokio::spawn(async move { *lock.lock().await += 1 }).await.expect("no panic");
        }
        each(begun, OPERATIONS)
    })
}

/// So many tasks, each of which takes two of so many locks, in their order and maybe together, and then a third.
fn service(runtime: &Runtime, tasks: u32, locks: usize, together: bool) -> f64 {
    let locks: Arc<[Mutex<u64>]> = (0..locks).map(|_| Mutex::new(0)).collect();
    runtime.block_on(async {
        let begun = Instant::now();
        let tasks = (0..tasks).map(|number| {
            let locks = Arc::clone(&locks);
            let at = number as usize * 7 % (locks.len() - 1);
            tokio::spawn(async move {
                {
                    let mut first = locks[at].lock().await;
                    *first += 1;
                    if !together {
                        drop(first);
                    }
                    *locks[at + 1].lock().await += 1;
                }
                *locks[(at * 3) % locks.len()].lock().await
            })
        });
        let tasks: Vec<_> = tasks.collect();
        let count = tasks.len() as u32;
        for task in tasks {
            black_box(task.await.expect("no panic"));
        }
        each(begun, count)
    })
}

/// The memory that one of many tasks takes that wait for ever, some of which have taken a lock before.
fn idle(runtime: &Runtime, locks: bool) -> usize {
    let before = resident();
    runtime.block_on(async {
        let lock = Arc::new(Mutex::new(0_u32));
        for _ in 0..IDLE {
            let lock = Arc::clone(&lock);
            tokio::spawn(async move {
                if locks {
                    *lock.lock().await += 1;
                }
                drop(lock);
                pending::<()>().await;
            });
        }
        while Arc::strong_count(&lock) > 1 {
            tokio::task::yield_now().await;
        }
    });
    (resident().saturating_sub(before)) / IDLE
}

/// The process's memory, in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it is there");
    let kib: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024
}
