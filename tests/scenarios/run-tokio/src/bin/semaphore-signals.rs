//! A semaphore that begins with one permit, of which each is used up, and others are added under a mutex: it
//! signals, and is no lock.
//!
//! expect: none

use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let (ready, state) = (Arc::new(Semaphore::new(1)), Arc::new(Mutex::new(0)));
    let (r, s) = (Arc::clone(&ready), Arc::clone(&state));
    let consumer = tokio::spawn(async move {
        for _ in 0..3 {
            r.acquire().await.unwrap().forget();
            *s.lock().await += 1;
        }
    });
    for _ in 0..2 {
        let state = state.lock().await;
        ready.add_permits(1);
        drop(state);
    }
    consumer.await.unwrap();
    let _state = state.lock().await;
    ready.add_permits(1);
    ready.acquire().await.unwrap().forget();
}
