//! A semaphore of one permit is always taken before the mutex.
//!
//! expect: none

use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore};
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let (turn, state) = (Arc::new(Semaphore::new(1)), Arc::new(Mutex::new(0)));
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let (turn, state) = (Arc::clone(&turn), Arc::clone(&state));
            tokio::spawn(async move {
                let _turn = turn.acquire().await.unwrap();
                *state.lock().await += 1;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}
