//! A cache with a map and a list of recent keys.
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, RwLock};
use std::thread;

struct Lru<V> {
    map: RwLock<HashMap<u64, Arc<V>>>,
    recent: RwLock<VecDeque<u64>>,
    capacity: usize,
}

impl<V> Lru<V> {
    fn get(&self, key: u64) -> Option<Arc<V>> {
        let value = self.map.read().unwrap().get(&key).cloned()?;
        self.recent.write().unwrap().push_back(key);
        Some(value)
    }
    fn put(&self, key: u64, value: V) {
        let mut recent = self.recent.write().unwrap();
        recent.push_back(key);
        while recent.len() > self.capacity {
            if let Some(old) = recent.pop_front() {
                self.map.write().unwrap().remove(&old);
            }
        }
        self.map.write().unwrap().insert(key, Arc::new(value));
    }
}

fn main() {
    let lru = Arc::new(Lru { map: RwLock::default(), recent: RwLock::default(), capacity: 2 });
    let other = Arc::clone(&lru);
    let t = thread::spawn(move || (0..9).for_each(|n| other.put(n, n.to_string())));
    println!("{:?}", lru.get(3));
    t.join().unwrap();
}
