//! The end of the receivers of four channels is awaited, and comes.
//!
//! expect: none

use std::sync::Arc;

use tokio::sync::{broadcast, mpsc, oneshot, watch, Mutex};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let state = Arc::new(Mutex::new(0));
    let (some, receiver) = mpsc::channel::<u32>(1);
    let (mut one, answer) = oneshot::channel::<u32>();
    let (last, value) = watch::channel(1);
    let (all, hears) = broadcast::channel::<u32>(1);
    let other = Arc::clone(&state);
    let task = tokio::spawn(async move {
        *other.lock().await += 1;
        drop((receiver, answer, value, hears));
    });
    *state.lock().await += 1;
    some.closed().await;
    one.closed().await;
    last.closed().await;
    all.closed().await;
    task.await.unwrap();
}
