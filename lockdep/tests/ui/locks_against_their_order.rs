use lockdep::locks;
use lockdep::sync::{Mutex, RwLock};

struct Bank {
    accounts: Vec<Mutex<u8>>,
    audit: RwLock<u8>,
}

impl Bank {
    #[locks(accounts, audit)]
    fn bound(&self, at: usize) -> u8 {
        let audit = self.audit.read().unwrap();
        let accounts = self.accounts[at].lock().unwrap();
        *audit + *accounts
    }

    #[locks(accounts, audit)]
    fn in_one_statement(&self) -> u8 {
        *self.audit.write().unwrap() + *self.accounts[0].lock().unwrap()
    }

    #[locks(accounts, audit)]
    async fn in_a_match(&self) -> u8 {
        match *self.audit.read().unwrap() {
            0 => *(&self.accounts[0]).lock().unwrap(),
            other => other,
        }
    }

    #[locks(accounts, audit)]
    fn after_a_branch(&self, wait: bool) -> u8 {
        let Ok(audit) = self.audit.try_read() else { return 0 };
        if wait {
            std::thread::yield_now();
        }
        let accounts = { self.accounts.first().unwrap() };
        drop(accounts.lock().unwrap());
        *audit
    }
}

#[locks(first, second)]
fn generic<T: Copy + ?Sized>(first: &Mutex<T>, second: &Mutex<T>) {
    if let Ok(_second) = second.lock() {
        let _first = (*first).lock();
    }
}

#[locks(first)]
struct NoFunction;

fn main() {}
