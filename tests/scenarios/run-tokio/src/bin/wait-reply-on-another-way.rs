//! A reply came by a task that had just had the lock under which another one is awaited: the next such request can
//! meet it.
//!
//! expect: wait-while-holding potential

use std::sync::Arc;

use tokio::sync::{mpsc, Mutex};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let state = Arc::new(Mutex::new(7));
    let (requests, mut queue) = mpsc::channel(4);
    let (replies, mut answers) = mpsc::channel(4);
    let other = Arc::clone(&state);
    let actor = tokio::spawn(async move {
        while let Some(reads) = queue.recv().await {
            let answer = if reads { *other.lock().await } else { 0 };
            replies.send(answer).await.unwrap();
        }
    });
    requests.send(true).await.unwrap();
    assert_eq!(answers.recv().await, Some(7));
    let held = state.lock().await;
    requests.send(false).await.unwrap();
    assert_eq!(answers.recv().await, Some(0));
    drop(held);
    drop(requests);
    actor.await.unwrap();
}
