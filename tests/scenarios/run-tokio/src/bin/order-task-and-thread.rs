//! id: order-task-and-thread
//! expect: lock-order reachable
//! note: a task, and a thread that blocks for the same mutexes

use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::sync::Mutex;

#[tokio::main]
async fn main() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let (a2, b2) = (a.clone(), b.clone());
    let task = tokio::spawn(async move {
        let a = a2.lock().await;
        *b2.lock().await += *a;
    });
    let thread = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        let b = b.blocking_lock();
        *a.blocking_lock() += *b;
    });
    task.await.unwrap();
    thread.join().unwrap();
}
