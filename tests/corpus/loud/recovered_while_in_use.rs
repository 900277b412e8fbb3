//! A store that is recovered by a thread of its own while it is in use.
use std::sync::{Arc, Mutex};
use std::thread;

struct Store {
    journal: Mutex<Vec<u8>>,
    table: Mutex<Vec<(u8, u8)>>,
}

impl Store {
    fn put(&self, key: u8, value: u8) {
        let mut journal = self.journal.lock().unwrap();
        journal.push(key);
        self.table.lock().unwrap().push((key, value)); // found: lock-order
    }
    fn recover(&self) {
        let mut table = self.table.lock().unwrap();
        for key in self.journal.lock().unwrap().iter() { // found: lock-order
            table.push((*key, 0));
        }
    }
    fn open() -> Arc<Store> {
        let store = Arc::new(Store { journal: Mutex::default(), table: Mutex::default() });
        let recovering = store.clone();
        thread::spawn(move || recovering.recover());
        store
    }
}

fn main() {
    let store = Store::open();
    store.put(1, 2);
}
