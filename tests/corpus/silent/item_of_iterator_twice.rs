//! The cured form of `loud/item_of_iterator_twice.rs`: an item of a filtered iterator is locked
//! again while it is locked.
use std::sync::{Arc, Mutex};

pub struct Account {
    balance: Mutex<i64>,
    owner: String,
}

pub struct Bank {
    accounts: Vec<Arc<Account>>,
}

impl Bank {
    pub fn pay_interest(&self) {
        for account in self.accounts.iter().filter(|a| !a.owner.is_empty()) {
            let balance = account.balance.lock().unwrap();
            if *balance > 100 {
                let interest = *balance / 50;
                drop(balance);
                *account.balance.lock().unwrap() += interest;
            }
        }
    }
}

fn main() {
    let account = Account { balance: Mutex::new(5000), owner: "eve".into() };
    Bank { accounts: vec![Arc::new(account)] }.pay_interest();
}
