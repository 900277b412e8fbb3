//! A store that is recovered before anyone else has it.
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
        self.table.lock().unwrap().push((key, value));
    }
    fn recover(&self) {
        let mut table = self.table.lock().unwrap();
        for key in self.journal.lock().unwrap().iter() {
            table.push((*key, 0));
        }
    }
    fn open() -> Arc<Store> {
        let store = Arc::new(Store { journal: Mutex::default(), table: Mutex::default() });
        store.recover();
        store
    }
}

fn main() {
    let store = Store::open();
    let theirs = store.clone();
    let t = thread::spawn(move || theirs.put(3, 4));
    store.put(1, 2);
    t.join().unwrap();
}
