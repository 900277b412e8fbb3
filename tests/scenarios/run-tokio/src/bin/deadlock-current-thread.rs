//! id: deadlock-current-thread
//! expect: deadlock happened
//! accept: lock-order reachable; lock-order potential
//! note: two tasks wait for each other

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

async fn nested(outer: Arc<Mutex<u32>>, inner: Arc<Mutex<u32>>) {
    let outer = outer.lock().await;
    sleep(Duration::from_millis(50)).await;
    *inner.lock().await += *outer;
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let one = tokio::spawn(nested(a.clone(), b.clone()));
    let other = tokio::spawn(nested(b, a));
    let ends = [one.await.is_err(), other.await.is_err()];
    assert_eq!(
        ends.iter().filter(|failed| **failed).count(),
        1,
        "the one that closes the cycle ends"
    );
}
