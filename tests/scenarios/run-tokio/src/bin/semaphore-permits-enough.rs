//! Two tasks each take two of three permits, one after the other.
//!
//! expect: none

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::sleep;

async fn both(permits: Arc<Semaphore>) {
    let _first = permits.acquire().await.unwrap();
    sleep(Duration::from_millis(20)).await;
    let _second = permits.acquire().await.unwrap();
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let permits = Arc::new(Semaphore::new(3));
    let one = tokio::spawn(both(Arc::clone(&permits)));
    let other = tokio::spawn(both(permits));
    one.await.unwrap();
    other.await.unwrap();
}
