//! An interrupt-like handler and a main loop over two statics.
use std::sync::Mutex;
use std::thread;

static TIMERS: Mutex<Vec<u64>> = Mutex::new(Vec::new());
static TASKS: Mutex<Vec<fn()>> = Mutex::new(Vec::new());

fn tick(now: u64) {
    let mut timers = TIMERS.lock().unwrap();
    timers.retain(|due| {
        if *due <= now {
            TASKS.lock().unwrap().push(|| {}); // found: lock-order
            false
        } else {
            true
        }
    });
}

fn run_one() {
    let mut tasks = TASKS.lock().unwrap();
    if tasks.pop().is_none() {
        TIMERS.lock().unwrap().push(1); // found: lock-order
    }
}

fn main() {
    let clock = thread::Builder::new().name("clock".into()).spawn(|| (0..9).for_each(tick)).unwrap();
    for _ in 0..9 {
        run_one();
    }
    clock.join().unwrap();
}
