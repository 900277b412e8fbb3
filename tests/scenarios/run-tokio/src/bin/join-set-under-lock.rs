//! The next end of a set of tasks is awaited under the lock that they need.
//!
//! expect: wait-while-holding happened

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::JoinSet;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let state = Arc::new(Mutex::new(0));
    let mut tasks = JoinSet::new();
    let held = state.lock().await;
    for _ in 0..2 {
        let state = Arc::clone(&state);
        tasks.spawn(async move { *state.lock().await += 1 });
    }
    while tasks.join_next().await.is_some() {}
    drop(held);
}
