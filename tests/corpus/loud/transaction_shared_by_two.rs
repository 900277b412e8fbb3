//! A transaction's lock is taken under the store's, and the store's under it, by two threads that share the transaction.
use std::sync::{Arc, Mutex};
#[derive(Default)]
struct Store {
    header: Mutex<u64>,
    log: Mutex<Vec<u64>>,
}
struct Change {
    store: Arc<Store>,
    tables: Mutex<Vec<u64>>,
}
impl Change {
    fn savepoint(&self) -> u64 {
        let tables = self.tables.lock().unwrap();
        let header = self.store.header.lock().unwrap(); // found: lock-order
        *header + tables.len() as u64
    }
    fn put(&self, value: u64) {
        self.tables.lock().unwrap().push(value);
    }
    fn commit(&self) {
        let tables = self.tables.lock().unwrap();
        self.store.log.lock().unwrap().extend(tables.iter());
    }
}
struct Database {
    store: Arc<Store>,
}
impl Database {
    fn begin(&self) -> Arc<Change> {
        Arc::new(Change { store: self.store.clone(), tables: Mutex::default() })
    }
    fn drain(&self) {
        let transaction = self.begin();
        transaction.put(2);
        transaction.commit();
    }
    fn compact(&self, transaction: &Change) {
        let header = self.store.header.lock().unwrap();
        transaction.put(*header); // found: lock-order
        transaction.commit();
        self.drain();
    }
}
fn main() {
    let database = Database { store: Arc::default() };
    let transaction = database.begin();
    std::thread::scope(|scope| {
        scope.spawn(|| database.compact(&transaction));
        scope.spawn(|| {
            transaction.put(1);
            println!("{}", transaction.savepoint());
        });
    });
}
