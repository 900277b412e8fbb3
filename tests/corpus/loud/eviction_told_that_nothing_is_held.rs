//! A cache whose eviction may be asked not to lock, and is asked wrongly.
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

#[derive(Clone, Copy, PartialEq)]
enum Held {
    Yes,
    No,
}

struct Cache {
    map: Mutex<HashMap<u32, String>>,
    limit: usize,
    evicted: Mutex<usize>,
}

impl Cache {
    fn evict(&self, map: Option<&mut MutexGuard<'_, HashMap<u32, String>>>, held: Held) {
        if held == Held::No {
            let mut map = self.map.lock().unwrap(); // found: double-lock
            map.retain(|k, _| *k > 10);
        } else if let Some(map) = map {
            map.retain(|k, _| *k > 10);
        }
        *self.evicted.lock().unwrap() += 1;
    }
    fn put(&self, key: u32, value: String) {
        let mut map = self.map.lock().unwrap();
        map.insert(key, value);
        if map.len() > self.limit {
            self.evict(None, Held::No); // found: double-lock
        }
    }
}

fn main() {
    let c = Cache { map: Mutex::default(), limit: 0, evicted: Mutex::default() };
    c.put(1, "one".into());
    c.evict(None, Held::No);
    let mut map = c.map.lock().unwrap();
    c.evict(Some(&mut map), Held::Yes);
}
