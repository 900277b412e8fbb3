//! An interrupt-like handler and a main loop over two statics.
use std::sync::Mutex;
use std::thread;

static TIMERS: Mutex<Vec<u64>> = Mutex::new(Vec::new());
static TASKS: Mutex<Vec<fn()>> = Mutex::new(Vec::new());

fn tick(now: u64) {
    let mut timers = TIMERS.lock().unwrap();
    timers.retain(|due| {
        if *due <= now {
            TASKS.lock().unwrap().push(|| {});
            false
        } else {
            true
        }
    });
}

fn run_one() {
    let task = TASKS.lock().unwrap().pop();
    match task {
        Some(task) => task(),
        None => TIMERS.lock().unwrap().push(1),
    }
}

fn main() {
    let clock = thread::Builder::new().name("clock".into()).spawn(|| (0..9).for_each(tick)).unwrap();
    for _ in 0..9 {
        run_one();
    }
    clock.join().unwrap();
}
