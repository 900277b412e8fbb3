//! A flag is polled before the lock is taken that whoever sets it takes.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

struct Pipe {
    ready: AtomicBool,
    data: Mutex<Vec<u8>>,
}

fn produce(pipe: &Pipe) {
    pipe.data.lock().unwrap().push(1);
    pipe.ready.store(true, Ordering::Release);
}

fn consume(pipe: &Pipe) -> usize {
    while !pipe.ready.load(Ordering::Acquire) {
        thread::yield_now();
    }
    let data = pipe.data.lock().unwrap();
    data.len()
}

fn main() {
    let pipe = Arc::new(Pipe { ready: AtomicBool::new(false), data: Mutex::default() });
    let other = pipe.clone();
    let t = thread::spawn(move || produce(&other));
    println!("{}", consume(&pipe));
    t.join().unwrap();
}
