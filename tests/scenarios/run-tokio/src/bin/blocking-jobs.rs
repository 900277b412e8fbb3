//! id: blocking-jobs
//! expect: none
//! note: jobs of the blocking pool lock what tasks lock

use std::sync::Arc;
use tokio::sync::{Mutex, RwLock};
use tokio::task::spawn_blocking;

#[tokio::main]
async fn main() {
    let sum = Arc::new(Mutex::new(0));
    let limit = Arc::new(RwLock::new(100));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (sum, limit) = (sum.clone(), limit.clone());
        tasks.spawn_blocking(move || {
            let limit = limit.blocking_read();
            *sum.blocking_lock() += *limit;
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let total = sum.clone();
    assert_eq!(spawn_blocking(move || *total.blocking_lock()).await.unwrap(), 2000);
    *limit.write().await = 1;
}
