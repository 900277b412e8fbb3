//! A ledger that a thread leaves locked behind it.

use std::mem;
use std::sync::Mutex;

/// What is on the books.
#[derive(Default)]
pub struct Ledger {
    entries: Mutex<Vec<i64>>,
}

impl Ledger {
    /// Adds a last entry, and keeps the books closed from then on: leaks the guard of `entries`.
    pub fn close(&self, entry: i64) {
        let mut entries = self.entries.lock().unwrap();
        entries.push(entry);
        mem::forget(entries);
    }

    /// The sum: locks `entries`.
    pub fn balance(&self) -> i64 {
        self.entries.lock().unwrap().iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::Ledger;

    #[test]
    fn the_year_can_be_closed() {
        let ledger = Ledger::default();
        thread::scope(|scope| {
            let clerk = thread::Builder::new().name("clerk".to_owned());
            clerk.spawn_scoped(scope, || ledger.close(12)).unwrap();
        });
        assert_eq!(ledger.balance(), 12);
    }
}
