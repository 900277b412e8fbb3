use lockdep::sync::{Mutex, RwLock};
use lockdep::thread;
use std::sync::Arc;

struct Bank {
    accounts: Mutex<Vec<i64>>,
    audit: RwLock<Vec<String>>,
}

impl Bank {
    fn new() -> Self {
        Self { accounts: Mutex::new(vec![100, 0]), audit: RwLock::new(Vec::new()) }
    }

    fn transfer(&self, amount: i64) {
        let mut accounts = self.accounts.lock().unwrap();
        accounts[0] -= amount;
        accounts[1] += amount;
        self.audit.write().unwrap().push(format!("moved {amount}"));
    }

    fn report(&self) -> String {
        let audit = self.audit.read().unwrap();
        let accounts = self.accounts.lock().unwrap();
        format!("{audit:?}: {accounts:?}")
    }
}

fn main() {
    let bank = Arc::new(Bank::new());
    let other = Arc::clone(&bank);
    let t = thread::Builder::new().name("clerk".into()).spawn(move || other.transfer(5)).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(50));
    let u = thread::spawn(move || { bank.report(); let a = bank.audit.read().unwrap(); bank.report(); drop(a); });
    t.join().unwrap();
    u.join().unwrap();
}
