//! A semaphore of one permit and a mutex, taken in both orders by two tasks.
//!
//! expect: lock-order reachable

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore};
use tokio::time::sleep;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let (turn, state) = (Arc::new(Semaphore::new(1)), Arc::new(Mutex::new(0)));
    let (t, s) = (Arc::clone(&turn), Arc::clone(&state));
    let one = tokio::spawn(async move {
        let _turn = t.acquire().await.unwrap();
        *s.lock().await += 1;
    });
    let other = tokio::spawn(async move {
        sleep(Duration::from_millis(50)).await;
        let mut state = state.lock().await;
        let _turn = turn.acquire().await.unwrap();
        *state += 1;
    });
    one.await.unwrap();
    other.await.unwrap();
}
