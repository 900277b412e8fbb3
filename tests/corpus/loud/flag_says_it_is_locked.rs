//! A flag tells a callee whether it is called under the lock.
use std::sync::{Mutex, MutexGuard};

pub struct Store {
    rows: Mutex<Vec<u32>>,
}

impl Store {
    fn compact(&self, is_locked: bool) {
        let _guard: Option<MutexGuard<'_, Vec<u32>>> =
            if is_locked { None } else { Some(self.rows.lock().unwrap()) };
        println!("compacting");
    }

    pub fn push(&self, row: u32) {
        let mut rows = self.rows.lock().unwrap();
        rows.push(row);
        if rows.len() > 10 {
            self.compact(false); // found: double-lock
        }
    }

    pub fn tidy(&self) {
        self.compact(false);
    }
}

fn main() {
    let store = Store { rows: Mutex::default() };
    store.push(1);
    store.tidy();
}
