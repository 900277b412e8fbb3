//! Two values of one type are locked in the order in which they are given.
use std::sync::Mutex;

pub struct Account {
    id: u32,
    balance: Mutex<i64>,
}

pub fn transfer(from: &Account, to: &Account, amount: i64) {
    let mut source = from.balance.lock().unwrap();
    let mut target = to.balance.lock().unwrap(); // found: same-class-nesting
    *source -= amount;
    *target += amount;
}

fn main() {
    let a = Account { id: 1, balance: Mutex::new(1) };
    let b = Account { id: 2, balance: Mutex::new(1) };
    transfer(&a, &b, 1);
}
