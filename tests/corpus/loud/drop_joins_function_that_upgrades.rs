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

fn run(shared: Weak<Shared>) {
    while let Some(shared) = shared.upgrade() {
        if shared.stop.load(Ordering::Relaxed) {
            break;
        }
        beat(&shared);
        thread::sleep(Duration::from_millis(5));
    }
}
impl Client {
    pub fn connect() -> Self {
        let shared = Arc::new(Shared {
            beats: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            thread: Mutex::new(None),
        });
        let weak = Arc::downgrade(&shared);
        let handle = thread::spawn(move || run(weak));
        *shared.thread.lock().unwrap() = Some(handle);
        Client { shared }
    }

    pub fn beats(&self) -> u64 {
        self.shared.beats.load(Ordering::Relaxed)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.get_mut().unwrap().take() {
            let _ = thread.join(); // found: join-in-drop
        }
    }
}

fn main() {
    let client = Client::connect();
    thread::sleep(Duration::from_millis(20));
    println!("{}", client.beats());
}
