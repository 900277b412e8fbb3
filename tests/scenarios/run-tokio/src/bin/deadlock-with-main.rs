//! id: deadlock-with-main
//! expect: deadlock happened
//! accept: lock-order reachable; lock-order potential
//! note: a task, and the future that the main thread runs

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, RwLock};
use tokio::time::sleep;

#[tokio::main]
async fn main() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(RwLock::new(2));
    let (a2, b2) = (a.clone(), b.clone());
    tokio::spawn(async move {
        let b = b2.read().await;
        sleep(Duration::from_millis(50)).await;
        *a2.lock().await += *b;
    });
    let a = a.lock().await;
    sleep(Duration::from_millis(50)).await;
    *b.write().await += *a;
}
