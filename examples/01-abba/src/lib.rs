//! A bank whose tests pass, and which will stop one day.

use std::sync::Mutex;

/// Accounts, and a log of what was done with them.
#[derive(Default)]
pub struct Bank {
    accounts: Mutex<Vec<u64>>,
    audit: Mutex<Vec<String>>,
}

impl Bank {
    /// A bank with these balances.
    pub fn new(balances: &[u64]) -> Bank {
        Bank { accounts: Mutex::new(balances.to_vec()), audit: Mutex::new(Vec::new()) }
    }

    /// Moves money, then logs it: locks `accounts`, then `audit`.
    pub fn transfer(&self, from: usize, to: usize, amount: u64) {
        let mut accounts = self.accounts.lock().unwrap();
        accounts[from] -= amount;
        accounts[to] += amount;
        self.audit.lock().unwrap().push(format!("{amount} from {from} to {to}"));
    }

    /// The log, and the sum that it leaves: locks `audit`, then `accounts`.
    pub fn statement(&self) -> (usize, u64) {
        let audit = self.audit.lock().unwrap();
        let total = self.accounts.lock().unwrap().iter().sum();
        (audit.len(), total)
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::Bank;

    #[test]
    fn money_is_moved_while_the_auditor_reads() {
        let bank = Bank::new(&[100, 50]);
        thread::scope(|scope| {
            let start = |name: &str| thread::Builder::new().name(name.to_owned());
            let transfer = || bank.transfer(0, 1, 30);
            let teller = start("teller").spawn_scoped(scope, transfer).unwrap();
            let bank = &bank;
            let auditor = move || {
                // Nothing but this test sees to it that the transfer is over.
                (0..1_000).take_while(|_| !teller.is_finished()).for_each(|_| {
                    thread::sleep(Duration::from_millis(1));
                });
                assert_eq!(bank.statement().1, 150);
            };
            start("auditor").spawn_scoped(scope, auditor).unwrap();
        });
    }
}
