//! id: many-short-tasks
//! expect: none
//! note: ten thousand tasks, one after another and together

use std::sync::Arc;
use tokio::sync::{Mutex, RwLock};

#[tokio::main]
async fn main() {
    let sum = Arc::new(Mutex::new(0));
    let limit = Arc::new(RwLock::new(10_000));
    for _ in 0..100 {
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let (sum, limit) = (sum.clone(), limit.clone());
                tokio::spawn(async move {
                    let limit = limit.read().await;
                    let mut sum = sum.lock().await;
                    *sum = (*sum + 1).min(*limit);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    }
    assert_eq!(*sum.lock().await, 10_000);
}
