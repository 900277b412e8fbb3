//! Money goes from one account to another: which of the two is locked first?
//!
//! The accounts are not known when the program is written, so no order of the source can be kept.

use std::sync::Mutex;

/// An account, with a number that no other account has.
#[derive(Debug)]
pub struct Account {
    number: u64,
    balance: Mutex<i64>,
}

impl Account {
    /// An account with this number and balance.
    pub fn new(number: u64, balance: i64) -> Account {
        Account { number, balance: Mutex::new(balance) }
    }

    /// What is in it.
    pub fn balance(&self) -> i64 {
        *self.balance.lock().unwrap()
    }
}

/// In the order of the arguments: two transfers between the same accounts, in opposite directions,
/// can wait for each other for ever.
pub mod broken {
    use crate::Account;

    /// Moves `amount`.
    pub fn transfer(from: &Account, to: &Account, amount: i64) {
        let mut from = from.balance.lock().unwrap();
        let mut to = to.balance.lock().unwrap();
        *from -= amount;
        *to += amount;
    }
}

/// In the order of the account numbers. Right, but every place that locks two accounts must know.
pub mod sorted {
    use crate::Account;

    /// Moves `amount`.
    pub fn transfer(from: &Account, to: &Account, amount: i64) {
        let (low, high) = if from.number < to.number { (from, to) } else { (to, from) };
        let mut low_balance = low.balance.lock().unwrap();
        let mut high_balance = high.balance.lock().unwrap();
        let sign = if low.number == from.number { 1 } else { -1 };
        *low_balance -= sign * amount;
        *high_balance += sign * amount;
    }
}

/// All at once, in whatever order `lock_all!` keeps, with the guards in the order written.
pub mod all {
    use lockdep::lock_all;

    use crate::Account;

    /// Moves `amount`.
    ///
    /// # Panics
    /// If both are one account.
    pub fn transfer(from: &Account, to: &Account, amount: i64) {
        let (mut from, mut to) =
            lock_all!(from.balance.lock().unwrap(), to.balance.lock().unwrap());
        *from -= amount;
        *to += amount;
    }
}

/// In the order of a hash, which two accounts can share: then under a third lock, the tie lock.
pub mod tie {
    use std::cmp::Ordering;
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    use std::sync::Mutex;

    use crate::Account;

    static TIE: Mutex<()> = Mutex::new(());

    fn hash(account: &Account) -> u8 {
        BuildHasherDefault::<DefaultHasher>::default().hash_one(account.number) as u8
    }

    /// Moves `amount`.
    pub fn transfer(from: &Account, to: &Account, amount: i64) {
        let add = |account: &mut i64, amount| *account += amount;
        match hash(from).cmp(&hash(to)) {
            Ordering::Less => {
                let mut from = from.balance.lock().unwrap();
                add(&mut to.balance.lock().unwrap(), amount);
                add(&mut from, -amount);
            }
            Ordering::Greater => {
                let mut to = to.balance.lock().unwrap();
                add(&mut from.balance.lock().unwrap(), -amount);
                add(&mut to, amount);
            }
            Ordering::Equal => {
                let _tie = TIE.lock().unwrap();
                let mut from = from.balance.lock().unwrap();
                add(&mut to.balance.lock().unwrap(), amount);
                add(&mut from, -amount);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::Account;

    /// Four tellers, each with its own round trip.
    fn trade(transfer: fn(&Account, &Account, i64)) {
        let accounts: Vec<Account> = (0..100).map(|number| Account::new(number, 100)).collect();
        thread::scope(|scope| {
            for teller in 1..5 {
                let accounts = &accounts;
                scope.spawn(move || {
                    for step in 0..1_000 {
                        let (from, to) = (step * teller % 100, (step * teller + teller) % 100);
                        transfer(&accounts[from], &accounts[to], 1);
                        transfer(&accounts[to], &accounts[from], 1);
                    }
                });
            }
        });
        assert!(accounts.iter().all(|account| account.balance() == 100));
    }

    #[test]
    fn broken() {
        let (a, b) = (Account::new(1, 100), Account::new(2, 100));
        thread::scope(|scope| {
            let start = |name: &str| thread::Builder::new().name(name.to_owned());
            let (a, b) = (&a, &b);
            let there = || super::broken::transfer(a, b, 10);
            start("one teller").spawn_scoped(scope, there).unwrap();
            let back = || {
                // The other transfer is over by then, as good as always.
                thread::sleep(Duration::from_millis(200));
                super::broken::transfer(b, a, 10);
            };
            start("another teller").spawn_scoped(scope, back).unwrap();
        });
        assert_eq!((a.balance(), b.balance()), (100, 100));
    }

    #[test]
    fn sorted() {
        trade(super::sorted::transfer);
    }

    #[test]
    fn all() {
        trade(super::all::transfer);
    }

    #[test]
    fn tie() {
        trade(super::tie::transfer);
    }
}
