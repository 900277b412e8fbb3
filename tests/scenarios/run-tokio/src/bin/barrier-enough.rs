//! A barrier for two, to which two tasks come again and again.
//!
//! expect: none

use std::sync::Arc;

use tokio::sync::Barrier;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let barrier = Arc::new(Barrier::new(2));
    let other = Arc::clone(&barrier);
    let task = tokio::spawn(async move {
        for _ in 0..50 {
            other.wait().await;
        }
    });
    for _ in 0..50 {
        barrier.wait().await;
    }
    task.await.unwrap();
}
