//! A struct on the stack whose locks a thread of a scope takes in the other order.
use std::sync::{Condvar, Mutex};
use std::thread;

struct Board {
    scores: Mutex<Vec<u32>>,
    best: Mutex<Option<u32>>,
    changed: Condvar,
}

fn main() {
    let board = Board { scores: Mutex::new(vec![]), best: Mutex::new(None), changed: Condvar::new() };
    let board = &board;
    thread::scope(|scope| {
        let player = scope.spawn(move || {
            let mut scores = board.scores.lock().unwrap();
            scores.push(7);
            let top = scores.iter().max().copied();
            *board.best.lock().unwrap() = top; // found: lock-order
            board.changed.notify_all();
        });
        let best = board.best.lock().unwrap();
        let scores = board.scores.lock().unwrap(); // found: lock-order
        println!("{best:?} of {}", scores.len());
        drop(best);
        drop(scores);
        player.join().unwrap();
    });
}
