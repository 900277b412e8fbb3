//! A task sends into a full channel under the lock that the receiving task needs before the next message.
//!
//! expect: wait-while-holding happened

use std::sync::Arc;

use tokio::sync::{mpsc, Mutex};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let total = Arc::new(Mutex::new(0));
    let (tx, mut rx) = mpsc::channel(1);
    let other = Arc::clone(&total);
    let consumer = tokio::spawn(async move {
        while let Some(n) = rx.recv().await {
            *other.lock().await += n;
        }
    });
    let producer = tokio::spawn(async move {
        let total = total.lock().await;
        for n in 0..10 {
            tx.send(n + *total).await.unwrap();
        }
    });
    let _ = producer.await;
    consumer.await.unwrap();
}
