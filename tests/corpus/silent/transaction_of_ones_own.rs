//! A transaction's own lock is taken under the store's, and the store's under it, but only by who has the transaction.
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
        let header = self.store.header.lock().unwrap();
        *header + tables.len() as u64
    }
    fn put(&self, value: u64) {
        self.tables.lock().unwrap().push(value);
    }
    fn commit(self) {
        let tables = self.tables.lock().unwrap();
        self.store.log.lock().unwrap().extend(tables.iter());
    }
}
struct Database {
    store: Arc<Store>,
}
impl Database {
    fn begin(&self) -> Change {
        Change { store: self.store.clone(), tables: Mutex::default() }
    }
    fn drain(&self) {
        let transaction = self.begin();
        transaction.put(2);
        transaction.commit();
    }
    fn compact(&self) {
        let header = self.store.header.lock().unwrap();
        let transaction = self.begin();
        transaction.put(*header);
        transaction.commit();
        self.drain();
    }
}
fn main() {
    let database = Database { store: Arc::default() };
    std::thread::scope(|scope| {
        scope.spawn(|| database.compact());
        scope.spawn(|| {
            let transaction = database.begin();
            transaction.put(1);
            println!("{}", transaction.savepoint());
        });
    });
}
