//! A client whose heartbeat thread keeps the connection alive as long as the client is there.
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

struct Shared {
    beats: AtomicU64,
    stop: AtomicBool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

pub struct Client {
    shared: Arc<Shared>,
}

fn beat(shared: &Shared) {
    shared.beats.fetch_add(1, Ordering::Relaxed);
}

impl Client {
    pub fn connect() -> Self {
        let shared = Arc::new(Shared {
            beats: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            thread: Mutex::new(None),
        });
        let theirs = shared.clone();
        let handle = thread::spawn(move || {
            while !theirs.stop.load(Ordering::Relaxed) {
                beat(&theirs);
                thread::sleep(Duration::from_millis(5));
            }
        });
        *shared.thread.lock().unwrap() = Some(handle);
        Client { shared }
    }

    pub fn beats(&self) -> u64 {
        self.shared.beats.load(Ordering::Relaxed)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let thread = self.shared.thread.lock().unwrap().take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn main() {
    let client = Client::connect();
    thread::sleep(Duration::from_millis(20));
    println!("{}", client.beats());
}
