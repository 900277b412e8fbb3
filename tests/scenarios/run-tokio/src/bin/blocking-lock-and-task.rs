//! A thread waits for a lock that a task holds, which waits for the lock of the thread.
//!
//! expect: deadlock happened

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let (a, b) = (Arc::new(Mutex::new(1)), Arc::new(Mutex::new(2)));
    let (outer, inner) = (Arc::clone(&a), Arc::clone(&b));
    let job = spawn_blocking(move || {
        let outer = outer.blocking_lock();
        thread::sleep(Duration::from_millis(50));
        *inner.blocking_lock() += *outer;
    });
    let task = tokio::spawn(async move {
        let b = b.lock().await;
        sleep(Duration::from_millis(50)).await;
        *a.lock().await += *b;
    });
    let ends = [job.await.is_err(), task.await.is_err()];
    assert_eq!(ends.iter().filter(|failed| **failed).count(), 1, "the one that closes the cycle ends");
}
