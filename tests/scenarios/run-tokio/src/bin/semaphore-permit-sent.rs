//! A permit that owns its semaphore is sent to a task, which takes the mutex that is held around later requests.
//!
//! expect: none

use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let (slots, log) = (Arc::new(Semaphore::new(1)), Arc::new(Mutex::new(Vec::new())));
    for job in 0..5 {
        let permit = Arc::clone(&slots).acquire_owned().await.unwrap();
        let log = Arc::clone(&log);
        tokio::spawn(async move {
            log.lock().await.push(job);
            drop(permit);
        });
    }
    let _all = slots.acquire().await.unwrap();
    assert_eq!(log.lock().await.len(), 5);
}
