//! Channels of all kinds, whose other ends are dropped while a task waits.
//!
//! expect: none

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::yield_now;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let (messages, mut receives) = mpsc::channel::<u8>(1);
    let (many, mut receives_many) = mpsc::unbounded_channel::<u8>();
    let (reply, answer) = oneshot::channel::<u8>();
    let (value, mut sees) = watch::channel(0);
    let (all, mut hears) = broadcast::channel::<u8>(2);
    let (full, kept) = mpsc::channel::<u8>(1);
    full.send(1).await.unwrap();
    let waits = tokio::spawn(async move {
        assert!(receives.recv().await.is_none());
        assert!(receives_many.recv().await.is_none());
        assert!(answer.await.is_err());
        assert!(sees.changed().await.is_err());
        assert!(hears.recv().await.is_err());
        assert!(full.send(2).await.is_err());
    });
    yield_now().await;
    drop(messages);
    yield_now().await;
    drop(many);
    yield_now().await;
    drop(reply);
    yield_now().await;
    drop(value);
    yield_now().await;
    drop(all);
    yield_now().await;
    drop(kept);
    waits.await.unwrap();
}
