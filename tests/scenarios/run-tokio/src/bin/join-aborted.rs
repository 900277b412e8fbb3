//! A task under a lock awaits one that waits for ever, until a third aborts that one.
//!
//! expect: none

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let state = Arc::new(Mutex::new(0));
    let held = state.lock().await;
    let task = tokio::spawn(std::future::pending::<()>());
    let abort = task.abort_handle();
    let aborts = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        abort.abort();
    });
    assert!(task.await.unwrap_err().is_cancelled());
    drop(held);
    aborts.await.unwrap();
}
