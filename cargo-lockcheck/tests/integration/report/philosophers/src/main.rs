use std::sync::atomic::{AtomicUsize, Ordering};

use lockdep::sync::{Arc, Mutex};
use lockdep::thread;

static TURN: AtomicUsize = AtomicUsize::new(0);

fn main() {
    let forks: Vec<_> = (0..12).map(|_| Arc::new(Mutex::new(()))).collect();
    let eat = |seat: usize| {
        let (left, right) = (forks[seat].clone(), forks[(seat + 1) % 12].clone());
        move || {
            while TURN.load(Ordering::Relaxed) != seat {
                thread::yield_now();
            }
            let _left = left.lock().unwrap();
            let _right = right.lock().unwrap();
            TURN.store(seat + 1, Ordering::Relaxed);
        }
    };
    let start = |seat| thread::Builder::new().name(format!("philosopher {seat}")).spawn(eat(seat));
    let threads: Vec<_> = (0..12).map(start).collect();
    for thread in threads {
        thread.unwrap().join().unwrap();
    }
}
