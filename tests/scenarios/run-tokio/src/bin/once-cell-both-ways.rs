//! Two cells of which each needs the other one to be initialised, by two tasks.
//!
//! expect: deadlock happened
//! accept: lock-order reachable; lock-order potential

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::sleep;

async fn first(of: Arc<OnceCell<u32>>, needs: Arc<OnceCell<u32>>) -> u32 {
    let init = || async {
        sleep(Duration::from_millis(50)).await;
        *needs.get_or_init(|| async { 1 }).await + 1
    };
    *of.get_or_init(init).await
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let (names, sizes) = (Arc::new(OnceCell::new()), Arc::new(OnceCell::new()));
    let one = tokio::spawn(first(Arc::clone(&names), Arc::clone(&sizes)));
    let other = tokio::spawn(first(sizes, names));
    let ends = [one.await.is_err(), other.await.is_err()];
    assert_eq!(ends.iter().filter(|failed| **failed).count(), 1, "the one that closes the cycle ends");
}
