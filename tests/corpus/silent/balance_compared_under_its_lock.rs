//! Transfers between accounts of one bank.
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::{Arc, RwLock};

#[derive(Debug)]
pub enum TransferError {
    Unknown(u32),
    Insufficient { missing: i64 },
    SameAccount,
}

pub struct Account {
    pub number: u32,
    balance: Mutex<i64>,
}

impl Account {
    pub fn balance(&self) -> i64 {
        *self.balance.lock().unwrap()
    }

    fn pay(&self, to: &Account, amount: i64) -> Result<(), TransferError> {
        let mut own = self.balance.lock().unwrap();
        if *own < amount {
            return Err(TransferError::Insufficient { missing: amount - *own });
        }
        *own -= amount;
        drop(own);
        *to.balance.lock().unwrap() += amount;
        Ok(())
    }
}

#[derive(Default)]
pub struct Bank {
    accounts: RwLock<BTreeMap<u32, Arc<Account>>>,
}

impl Bank {
    pub fn open(&self, number: u32, balance: i64) -> Arc<Account> {
        let account = Arc::new(Account { number, balance: Mutex::new(balance) });
        self.accounts.write().unwrap().insert(number, account.clone());
        account
    }

    fn account(&self, number: u32) -> Result<Arc<Account>, TransferError> {
        self.accounts.read().unwrap().get(&number).cloned().ok_or(TransferError::Unknown(number))
    }

    pub fn transfer(&self, from: u32, to: u32, amount: i64) -> Result<(), TransferError> {
        if from == to {
            return Err(TransferError::SameAccount);
        }
        self.account(from)?.pay(&*self.account(to)?, amount)
    }
}

fn main() -> Result<(), TransferError> {
    let bank = Bank::default();
    bank.open(1, 100);
    bank.open(2, 5);
    bank.transfer(1, 2, 30)?;
    println!("{}", bank.account(2)?.balance());
    Ok(())
}
