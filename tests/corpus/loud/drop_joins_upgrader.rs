//! A thread that upgrades a weak handle can be the one that drops the value, whose `Drop` joins it.
use std::sync::{Arc, Mutex, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

struct Cache {
    entries: Mutex<Vec<u32>>,
    sweeper: Mutex<Option<JoinHandle<()>>>,
}

impl Cache {
    fn new() -> Arc<Cache> {
        let cache = Arc::new(Cache { entries: Mutex::default(), sweeper: Mutex::default() });
        let weak: Weak<Cache> = Arc::downgrade(&cache);
        let thread = thread::spawn(move || {
            while let Some(cache) = weak.upgrade() {
                cache.entries.lock().unwrap().clear();
                drop(cache);
                thread::sleep(Duration::from_millis(1));
            }
        });
        *cache.sweeper.lock().unwrap() = Some(thread);
        cache
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        let thread = self.sweeper.get_mut().unwrap().take().unwrap();
        let _ = thread.join(); // found: join-in-drop
    }
}

fn main() {
    let cache = Cache::new();
    cache.entries.lock().unwrap().push(1);
}
