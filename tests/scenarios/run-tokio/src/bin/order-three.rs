//! id: order-three
//! expect: lock-order potential
//! note: a cycle of three tasks

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

async fn nested(outer: Arc<Mutex<u32>>, inner: Arc<Mutex<u32>>, millis: u64) {
    sleep(Duration::from_millis(millis)).await;
    let outer = outer.lock().await;
    *inner.lock().await += *outer;
}

#[tokio::main]
async fn main() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let c = Arc::new(Mutex::new(3));
    let tasks = [
        tokio::spawn(nested(a.clone(), b.clone(), 0)),
        tokio::spawn(nested(b, c.clone(), 50)),
        tokio::spawn(nested(c, a, 100)),
    ];
    for task in tasks {
        task.await.unwrap();
    }
}
