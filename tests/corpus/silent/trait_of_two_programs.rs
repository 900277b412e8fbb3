//! A trait that provides a method by another which takes a lock; the other program here has one of its name.
use std::sync::{Mutex, MutexGuard};

trait Store {
    fn rows(&self) -> MutexGuard<'_, Vec<String>>;

    fn insert(&self, row: &str) {
        self.rows().push(row.to_owned());
    }
}

struct Memory {
    rows: Mutex<Vec<String>>,
}

impl Store for Memory {
    fn rows(&self) -> MutexGuard<'_, Vec<String>> {
        self.rows.lock().unwrap()
    }
}

fn ensure(store: &Memory, row: &str) {
    let rows = store.rows();
    if rows.iter().any(|known| known == row) {
        return;
    }
    drop(rows);
    store.insert(row);
}

fn main() {
    ensure(&Memory { rows: Mutex::default() }, "a");
}
