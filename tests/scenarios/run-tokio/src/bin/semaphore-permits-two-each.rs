//! Two tasks each take one of two permits, and then want both.
//!
//! expect: stuck-wait happened

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::sleep;

async fn both(permits: Arc<Semaphore>) {
    let _first = permits.acquire().await.unwrap();
    sleep(Duration::from_millis(50)).await;
    let _second = permits.acquire().await.unwrap();
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let permits = Arc::new(Semaphore::new(2));
    let one = tokio::spawn(both(Arc::clone(&permits)));
    let other = tokio::spawn(both(permits));
    let ends = [one.await.is_err(), other.await.is_err()];
    assert_eq!(ends.iter().filter(|failed| **failed).count(), 1, "one ends, and the other goes on");
}
