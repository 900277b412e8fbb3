//! A job waits in `Handle::block_on` for a lock that the task has released which awaits the job.
//!
//! expect: none

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Mutex;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let state = Arc::new(Mutex::new(0));
    let task = tokio::spawn(async move {
        drop(state.lock().await);
        let handle = Handle::current();
        tokio::task::spawn_blocking(move || handle.block_on(async { *state.lock().await += 1 })).await
    });
    task.await.unwrap().unwrap();
}
