//! A barrier for three, to which two tasks come.
//!
//! expect: stuck-wait happened

use std::sync::Arc;

use tokio::sync::Barrier;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let barrier = Arc::new(Barrier::new(3));
    let other = Arc::clone(&barrier);
    let task = tokio::spawn(async move {
        other.wait().await;
    });
    barrier.wait().await;
    task.await.unwrap();
}
