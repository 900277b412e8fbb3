//! Waits that are registered, one after the other, before a task notifies.
//!
//! expect: none

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let ready = Arc::new(Notify::new());
    for _ in 0..3 {
        let notifies = Arc::clone(&ready);
        let notified = ready.notified();
        let task = tokio::spawn(async move {
            sleep(Duration::from_millis(20)).await;
            notifies.notify_waiters();
        });
        notified.await;
        task.await.unwrap();
    }
}
