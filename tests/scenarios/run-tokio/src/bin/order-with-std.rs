//! id: order-with-std
//! expect: lock-order reachable
//! note: a mutex of tasks and one of threads, which a task and a blocking job nest in opposite orders

use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;
use tokio::sync::Mutex;

#[tokio::main]
async fn main() {
    let session = Arc::new(Mutex::new(1));
    let cache = Arc::new(StdMutex::new(2));
    let (s, c) = (session.clone(), cache.clone());
    let task = tokio::spawn(async move {
        let session = s.lock().await;
        *c.lock().unwrap() += *session;
    });
    let job = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_millis(50));
        let cache = cache.lock().unwrap();
        *session.blocking_lock() += *cache;
    });
    task.await.unwrap();
    job.await.unwrap();
}
