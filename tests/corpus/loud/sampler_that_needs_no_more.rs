//! A sampler that is stopped and joined, and takes one lock alone.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
struct Sampler {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}
struct Monitor {
    values: Arc<Mutex<Vec<u64>>>,
    sampler: Mutex<Option<Sampler>>,
}
impl Sampler {
    fn start(values: Arc<Mutex<Vec<u64>>>) -> Sampler {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = stop.clone();
        let thread = thread::spawn(move || {
            while !flag.load(Ordering::Relaxed) {
                values.lock().unwrap().push(1);
            }
        });
        Sampler { stop, thread: Some(thread) }
    }
}
impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
impl Monitor {
    fn restart(&self) {
        let mut values = self.values.lock().unwrap();
        values.clear();
        let old = self.sampler.lock().unwrap().take();
        drop(old); // found: guard-across-blocking
        *self.sampler.lock().unwrap() = Some(Sampler::start(self.values.clone()));
    }
}
fn main() {
    Monitor { values: Arc::default(), sampler: Mutex::default() }.restart();
}
