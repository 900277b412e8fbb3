use lockdep::sync::{Arc, Mutex, RwLock};
use lockdep::thread;

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
    let clerk = thread::Builder::new().name("clerk".into());
    let t = clerk.spawn(move || other.transfer(5)).unwrap();
    while !t.is_finished() {
        thread::yield_now();
    }
    thread::spawn(move || bank.report()).join().unwrap();
    t.join().unwrap();
}
