use std::sync::{Arc, Mutex, MutexGuard};

static TOTAL: Mutex<u32> = Mutex::new(0);

pub struct Bank {
    accounts: Arc<Mutex<Vec<u32>>>,
}

impl Bank {
    fn guard(&self) -> MutexGuard<'_, Vec<u32>> {
        self.accounts.lock().unwrap()
    }

    pub fn sum(&self, skip: Option<usize>) -> u32 {
        let accounts = self.guard();
        let kept = accounts.iter().enumerate().filter(|(at, _)| Some(*at) != skip);
        let sum = kept.map(|(_, one)| *one).sum();
        if sum > 3 {
            drop(accounts);
        }
        *TOTAL.lock().unwrap() = sum;
        sum
    }
}

pub async fn later(bank: &Bank, name: &'static str) -> u32 {
    let first = bank.sum(None);
    other(name, '(').await;
    first + bank.sum(Some(1))
}

async fn other(_: &str, _: char) {}

pub fn print(bank: &Bank) -> String {
    format!("(\"{}\" // scope 0 at {:?})", bank.sum(None), [(1, "a)"), (2, "b\\")])
}
