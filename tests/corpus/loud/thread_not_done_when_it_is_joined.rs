//! A `Drop` that keeps the thread's mutex while it joins it; the thread takes it again after it has said that it is done.
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
#[derive(PartialEq)]
enum Phase {
    Runs,
    Stops,
    Done,
}
struct Flusher {
    phase: Arc<Mutex<Phase>>,
    changed: Arc<Condvar>,
    thread: Mutex<Option<JoinHandle<()>>>,
}
fn run(lock: &Mutex<Phase>, changed: &Condvar) {
    let mut phase = lock.lock().unwrap();
    while *phase == Phase::Runs {
        phase = changed.wait(phase).unwrap();
    }
    *phase = Phase::Done;
    drop(phase);
    changed.notify_all();
    log(lock);
}
fn log(phase: &Mutex<Phase>) {
    if *phase.lock().unwrap() == Phase::Done {
        println!("done");
    }
}
impl Flusher {
    fn start() -> Flusher {
        let phase = Arc::new(Mutex::new(Phase::Runs));
        let changed = Arc::new(Condvar::new());
        let thread = thread::spawn({
            let (phase, changed) = (phase.clone(), changed.clone());
            move || run(&phase, &changed)
        });
        Flusher { phase, changed, thread: Mutex::new(Some(thread)) }
    }
}
impl Drop for Flusher {
    fn drop(&mut self) {
        let mut phase = self.phase.lock().unwrap();
        *phase = Phase::Stops;
        self.changed.notify_all();
        while *phase != Phase::Done {
            phase = self.changed.wait(phase).unwrap();
        }
        let mut thread = self.thread.lock().unwrap();
        if let Some(thread) = thread.take() {
            let _ = thread.join(); // found: join-in-drop
        }
    }
}
fn main() {
    drop(Flusher::start());
}
