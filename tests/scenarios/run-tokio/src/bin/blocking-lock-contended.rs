//! Threads and tasks that wait in turn for one lock.
//!
//! expect: none

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::Mutex;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let state = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let state = Arc::clone(&state);
            thread::spawn(move || {
                for _ in 0..20 {
                    *state.blocking_lock() += 1;
                    thread::sleep(Duration::from_millis(1));
                }
            })
        })
        .collect();
    for _ in 0..20 {
        let mut state = state.lock().await;
        *state += 1;
        tokio::task::yield_now().await;
    }
    tokio::task::spawn_blocking(|| threads.into_iter().for_each(|t| t.join().unwrap())).await.unwrap();
    assert_eq!(*state.lock().await, 60);
}
