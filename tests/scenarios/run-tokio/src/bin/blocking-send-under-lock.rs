//! A thread waits for room in a channel under the lock that the receiving task needs.
//!
//! expect: wait-while-holding happened

use std::sync::Arc;
use std::thread;

use tokio::sync::{mpsc, Mutex};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let total = Arc::new(Mutex::new(0));
    let (sender, mut receiver) = mpsc::channel(1);
    let other = Arc::clone(&total);
    let sends = thread::spawn(move || {
        let total = other.blocking_lock();
        for number in 0..10 {
            let _ = sender.blocking_send(number + *total);
        }
    });
    while let Some(number) = receiver.recv().await {
        *total.lock().await += number;
    }
    let _ = sends.join();
}
