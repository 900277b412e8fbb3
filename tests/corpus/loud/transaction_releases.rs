//! A transaction has a guard in an option, which a method lets go of.
use std::sync::{Mutex, MutexGuard};

pub struct Db {
    pages: Mutex<Vec<u8>>,
}

pub struct Transaction<'db> {
    db: &'db Db,
    pages: Option<MutexGuard<'db, Vec<u8>>>,
}

impl<'db> Transaction<'db> {
    fn begin(db: &'db Db) -> Self {
        Transaction { db, pages: Some(db.pages.lock().unwrap()) }
    }
    fn release(&mut self) {
        self.pages = None;
    }
    fn write(&mut self, byte: u8) {
        if let Some(pages) = &mut self.pages {
            pages.push(byte);
        }
    }
    fn db(&self) -> &'db Db {
        self.db
    }
}

impl Db {
    fn len(&self) -> usize {
        self.pages.lock().unwrap().len()
    }
    pub fn append(&self, byte: u8) -> usize {
        let mut txn = Transaction::begin(self);
        txn.write(byte);
        let len = self.len(); // found: double-lock
        println!("{}", std::ptr::eq(txn.db(), self));
        len
    }
}

fn main() {
    println!("{}", Db { pages: Mutex::default() }.append(1));
}
