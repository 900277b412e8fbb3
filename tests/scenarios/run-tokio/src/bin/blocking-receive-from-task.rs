//! A thread waits for messages of a task, which come, and for their end.
//!
//! expect: none

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let (sender, mut receiver) = mpsc::channel(1);
    let job = tokio::task::spawn_blocking(move || {
        let mut sum = 0;
        while let Some(number) = receiver.blocking_recv() {
            sum += number;
        }
        sum
    });
    for number in 0..10 {
        sender.send(number).await.unwrap();
        sleep(Duration::from_millis(2)).await;
    }
    drop(sender);
    assert_eq!(job.await.unwrap(), 45);
}
