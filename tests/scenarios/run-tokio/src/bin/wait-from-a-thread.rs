//! Tasks wait for what a thread does later that is no executor's.
//!
//! expect: none

use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let (tx, mut rx) = mpsc::channel::<u8>(1);
    let (reply, answer) = oneshot::channel();
    let thread = thread::spawn(move || {
        thread::sleep(Duration::from_millis(1200));
        tx.blocking_send(1).unwrap();
        reply.send(2).unwrap();
    });
    assert_eq!(rx.recv().await, Some(1));
    assert_eq!(answer.await, Ok(2));
    thread.join().unwrap();
}
