//! A receive loop waits for the end of a sender that its own task keeps.
//!
//! expect: stuck-wait happened

use tokio::sync::mpsc;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let (tx, mut rx) = mpsc::unbounded_channel();
    for n in 0..3 {
        let tx = tx.clone();
        tokio::spawn(async move { tx.send(n).unwrap() });
    }
    let mut sum = 0;
    while let Some(n) = rx.recv().await {
        sum += n;
    }
    drop(tx);
    assert_eq!(sum, 3);
}
