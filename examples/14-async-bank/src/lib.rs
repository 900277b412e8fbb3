//! A bank whose accounts are locked by tasks: no thread ever blocks, and two transfers wait for each other.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::sleep;

/// Two accounts, each with a lock of its own.
#[derive(Default)]
pub struct Bank {
    checking: Mutex<i64>,
    savings: Mutex<i64>,
}

impl Bank {
    /// Moves money from the checking account to the savings account.
    pub async fn save(&self, amount: i64) {
        let mut checking = self.checking.lock().await;
        ask_for_approval().await;
        let mut savings = self.savings.lock().await;
        *checking -= amount;
        *savings += amount;
    }

    /// Moves money from the savings account to the checking account.
    pub async fn spend(&self, amount: i64) {
        let mut savings = self.savings.lock().await;
        ask_for_approval().await;
        let mut checking = self.checking.lock().await;
        *savings -= amount;
        *checking += amount;
    }
}

/// Somebody far away has to agree.
async fn ask_for_approval() {
    sleep(Duration::from_millis(20)).await;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Bank;

    #[tokio::test]
    async fn money_goes_both_ways() {
        let bank = Arc::new(Bank::default());
        let (one, other) = (bank.clone(), bank);
        let save = tokio::spawn(async move { one.save(5).await });
        let spend = tokio::spawn(async move { other.spend(3).await });
        save.await.unwrap();
        spend.await.unwrap();
    }
}
