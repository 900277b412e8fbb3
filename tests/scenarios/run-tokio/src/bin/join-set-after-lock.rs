//! The ends of a set of tasks are awaited after the lock that they need was released.
//!
//! expect: none

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::JoinSet;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let state = Arc::new(Mutex::new(0));
    let mut tasks = JoinSet::new();
    {
        let _held = state.lock().await;
        for _ in 0..20 {
            let state = Arc::clone(&state);
            tasks.spawn(async move { *state.lock().await += 1 });
        }
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    assert_eq!(*state.lock().await, 20);
}
