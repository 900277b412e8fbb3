//! A task asks for the only permit again while it has it, and another one adds a permit later.
//!
//! expect: none

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::sleep;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let turn = Arc::new(Semaphore::new(1));
    let other = Arc::clone(&turn);
    let adds = tokio::spawn(async move {
        sleep(Duration::from_millis(50)).await;
        other.add_permits(1);
    });
    let first = turn.acquire().await.unwrap();
    let second = turn.acquire().await.unwrap();
    drop((first, second));
    adds.await.unwrap();
}
