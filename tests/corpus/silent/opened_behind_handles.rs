//! A database that replays its journal when it is opened, behind handles that it has made itself.
use std::sync::{Arc, Mutex, RwLock};
use std::thread;

struct Parts {
    tables: RwLock<Vec<String>>,
    journal: Mutex<Vec<String>>,
}

#[derive(Clone)]
struct Shared(Arc<Parts>);

impl Shared {
    fn new(parts: Parts) -> Shared {
        Shared(Arc::new(parts))
    }
}

struct Inner {
    shared: Shared,
    name: String,
}

#[derive(Clone)]
pub struct Database(Arc<Inner>);

impl Database {
    pub fn open(name: &str, notice: &dyn Fn(&str)) -> Database {
        let parts = Parts { tables: RwLock::default(), journal: Mutex::default() };
        let inner = Inner { shared: Shared::new(parts), name: name.to_owned() };
        let db = Database(Arc::new(inner));
        notice(&db.0.name);
        let mut tables = db.0.shared.0.tables.write().unwrap();
        for line in db.0.shared.0.journal.lock().unwrap().iter() {
            tables.push(line.clone());
        }
        drop(tables);
        db.start();
        db
    }

    fn start(&self) {
        let db = self.clone();
        thread::spawn(move || db.write("first"));
    }

    pub fn write(&self, line: &str) {
        let mut journal = self.0.shared.0.journal.lock().unwrap();
        journal.push(line.to_owned());
        self.0.shared.0.tables.write().unwrap().push(line.to_owned());
    }
}

fn main() {
    Database::open("main", &|name| println!("{name}")).write("second");
}
