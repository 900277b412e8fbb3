//! What is done with locks, for any contender.

use std::hint::black_box;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use crate::contender::Contender;
use crate::measure::{Batch, repeat};

fn mutexes<C: Contender>(count: usize) -> Vec<C::Mutex> {
    (0..count).map(|_| C::mutex()).collect()
}

/// Takes all of `mutexes` in turn, each inside the one before.
fn nest<C: Contender>(mutexes: &[C::Mutex]) {
    if let [first, rest @ ..] = mutexes {
        let mut guard = C::lock(first);
        *guard += 1;
        nest::<C>(rest);
    }
}

/// One mutex.
pub fn one<C: Contender>() -> Batch {
    let mutex = C::mutex();
    repeat(move || *C::lock(black_box(&mutex)) += 1)
}

/// One mutex in a loop as a program has it: nothing is hidden from the compiler but the mutex at its
/// beginning, and the value is read back at the end.
pub fn one_in_a_loop<C: Contender>() -> Batch {
    #[inline(never)]
    fn count<C: Contender>(mutex: &C::Mutex, times: u32) -> u64 {
        for _ in 0..times {
            *C::lock(mutex) += 1;
        }
        *C::lock(mutex)
    }
    let mutex = C::mutex();
    Box::new(move |times| {
        let start = Instant::now();
        black_box(count::<C>(black_box(&mutex), times));
        start.elapsed()
    })
}

/// Three mutexes, nested, in such a loop.
pub fn three_in_a_loop<C: Contender>() -> Batch {
    #[inline(never)]
    fn count<C: Contender>([outer, middle, inner]: &[C::Mutex; 3], times: u32) -> u64 {
        for _ in 0..times {
            let mut first = C::lock(outer);
            *first += 1;
            let mut second = C::lock(middle);
            *second += *first;
            *C::lock(inner) += *second;
        }
        *C::lock(inner)
    }
    let mutexes = [C::mutex(), C::mutex(), C::mutex()];
    Box::new(move |times| {
        let start = Instant::now();
        black_box(count::<C>(black_box(&mutexes), times));
        start.elapsed()
    })
}

/// Three mutexes, nested.
pub fn three<C: Contender>() -> Batch {
    let mutexes = [C::mutex(), C::mutex(), C::mutex()];
    repeat(move || {
        let [outer, middle, inner] = black_box(&mutexes);
        let _outer = C::lock(outer);
        let _middle = C::lock(middle);
        *C::lock(inner) += 1;
    })
}

/// So many mutexes, nested.
pub fn nested<C: Contender>(depth: usize) -> Batch {
    let mutexes = mutexes::<C>(depth);
    repeat(move || nest::<C>(black_box(&mutexes)))
}

/// So many mutexes, nested, on each of `threads` threads that share nothing.
pub fn nested_on<C: Contender>(depth: usize, threads: usize) -> Batch {
    let start = Arc::new(Barrier::new(threads));
    let workers: Vec<(Sender<u32>, Receiver<Duration>)> = (0..threads)
        .map(|_| {
            let (orders, incoming) = mpsc::channel::<u32>();
            let (outgoing, results) = mpsc::channel();
            let start = Arc::clone(&start);
            // They end when the batch is dropped, which drops the senders.
            thread::spawn(move || {
                let mutexes = mutexes::<C>(depth);
                for times in incoming {
                    start.wait();
                    let begun = Instant::now();
                    for _ in 0..times {
                        nest::<C>(black_box(&mutexes));
                    }
                    let _ = outgoing.send(begun.elapsed());
                }
            });
            (orders, results)
        })
        .collect();
    Box::new(move |times| {
        for (orders, _) in &workers {
            let _ = orders.send(times);
        }
        let all = workers.iter().map(|(_, results)| results.recv().unwrap_or_default());
        all.sum::<Duration>() / threads as u32
    })
}

/// One of `count` mutexes after the other.
pub fn round_robin<C: Contender>(count: usize) -> Batch {
    let mutexes = mutexes::<C>(count);
    let mut at = 0;
    repeat(move || {
        *C::lock(&mutexes[at]) += 1;
        at = (at + 1) % mutexes.len();
    })
}

/// Pairs of a thousand mutexes, in an order that all pairs agree on; `distinct` of them.
pub fn pairs<C: Contender>(distinct: usize) -> Batch {
    const MUTEXES: usize = 1_000;
    let mutexes = mutexes::<C>(MUTEXES);
    let mut rng = fastrand::Rng::with_seed(7);
    let mut pairs: Vec<(u32, u32)> = (0..MUTEXES as u32)
        .flat_map(|first| (first + 1..MUTEXES as u32).map(move |second| (first, second)))
        .collect();
    rng.shuffle(&mut pairs);
    pairs.truncate(distinct);
    let step = move |&(first, second): &(u32, u32)| {
        let _first = C::lock(&mutexes[first as usize]);
        *C::lock(&mutexes[second as usize]) += 1;
    };
    // What is measured is the order that is known: the first rounds learn it, and make room for it.
    for _ in 0..4 {
        pairs.iter().for_each(&step);
    }
    let mut at = 0;
    repeat(move || {
        step(&pairs[at]);
        at = (at + 1) % pairs.len();
    })
}

/// A shared lock.
pub fn read<C: Contender>() -> Batch {
    let rwlock = C::rwlock();
    repeat(move || _ = black_box(*C::read(black_box(&rwlock))))
}

/// A mutex that lives for one acquisition.
pub fn create<C: Contender>() -> Batch {
    repeat(|| {
        let mutex = C::mutex();
        *C::lock(&mutex) += 1;
        black_box(&mutex);
    })
}

/// Which orders are learnt.
#[derive(Clone, Copy)]
pub enum Orders {
    /// Each lock before the next one.
    Chain,
    /// Two of all locks, the older one first.
    ByAge,
    /// Two of all locks, in an order that has nothing to do with their age.
    Shuffled,
}

/// Nanoseconds for one of so many orders.
pub type Learn = fn(usize, Orders) -> f64;

/// Nanoseconds for an order that was never seen, over `count` orders among `count` mutexes.
pub fn learn<C: Contender>(count: usize, orders: Orders) -> f64 {
    let mut mutexes = mutexes::<C>(count);
    mutexes.iter().for_each(|mutex| *C::lock(mutex) += 1);
    let mut rng = fastrand::Rng::with_seed(11);
    if let Orders::Shuffled = orders {
        rng.shuffle(&mut mutexes);
    }
    let pairs: Vec<(usize, usize)> = (0..count - 1)
        .map(|at| match orders {
            Orders::Chain => (at, at + 1),
            Orders::ByAge | Orders::Shuffled => {
                let first = rng.usize(0..count - 1);
                (first, rng.usize(first + 1..count))
            }
        })
        .collect();
    let start = Instant::now();
    for &(first, second) in &pairs {
        let _first = C::lock(&mutexes[first]);
        *C::lock(&mutexes[second]) += 1;
    }
    start.elapsed().as_nanos() as f64 / pairs.len() as f64
}
