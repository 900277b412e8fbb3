//! The cured form of `loud/transfer_between_peers.rs`: two values of one type are locked in the
//! order in which they are given.
use std::sync::Mutex;

pub struct Account {
    id: u32,
    balance: Mutex<i64>,
}

pub fn transfer(from: &Account, to: &Account, amount: i64) {
    let (mut source, mut target);
    if from.id < to.id {
        source = from.balance.lock().unwrap();
        target = to.balance.lock().unwrap();
    } else {
        target = to.balance.lock().unwrap();
        source = from.balance.lock().unwrap();
    }
    *source -= amount;
    *target += amount;
}

fn main() {
    let a = Account { id: 1, balance: Mutex::new(1) };
    let b = Account { id: 2, balance: Mutex::new(1) };
    transfer(&a, &b, 1);
}
