//! A job waits in `Handle::block_on` for a lock that the task holds which awaits the job.
//!
//! expect: wait-while-holding happened
//! accept: deadlock happened

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Mutex;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let state = Arc::new(Mutex::new(0));
    let task = tokio::spawn(async move {
        let held = state.lock().await;
        let other = Arc::clone(&state);
        let handle = Handle::current();
        let job = tokio::task::spawn_blocking(move || handle.block_on(async { *other.lock().await += 1 }));
        let ended = job.await;
        drop(held);
        ended
    });
    let _ = task.await;
}
