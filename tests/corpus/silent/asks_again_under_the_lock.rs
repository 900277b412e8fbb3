//! A replica that waits, under its log, until another thread has written to the log.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
#[derive(Default)]
struct Replica {
    log: Mutex<Vec<u8>>,
    synced: AtomicBool,
}
impl Replica {
    fn is_synced(&self) -> bool {
        self.synced.load(Ordering::SeqCst)
    }
    fn apply(&self, byte: u8) {
        self.log.lock().unwrap().push(byte);
        self.synced.store(true, Ordering::SeqCst);
    }
    fn read(&self) -> usize {
        while !self.is_synced() {
            std::thread::yield_now();
        }
        let log = self.log.lock().unwrap();
        log.len()
    }
}
fn main() {
    let replica = Arc::new(Replica::default());
    let theirs = replica.clone();
    let t = std::thread::spawn(move || theirs.apply(1));
    println!("{}", replica.read());
    t.join().unwrap();
}
