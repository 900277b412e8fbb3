//! A queue that is closed when it has been drained.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
#[derive(Default)]
struct Shared {
    queue: Mutex<Vec<u32>>,
    drained: AtomicBool,
}
impl Shared {
    fn drain(&self) {
        self.queue.lock().unwrap().clear();
        self.drained.store(true, Ordering::Release);
    }
    fn close(&self) {
        let mut queue = self.queue.lock().unwrap();
        queue.push(0);
        drop(queue);
        while !self.drained.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
fn main() {
    let shared = Arc::new(Shared::default());
    let theirs = shared.clone();
    let t = std::thread::spawn(move || theirs.drain());
    shared.close();
    t.join().unwrap();
}
