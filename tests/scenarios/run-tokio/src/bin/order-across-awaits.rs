//! id: order-across-awaits
//! expect: lock-order reachable
//! note: the first mutex is held over pauses before the second is asked for

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

async fn nested(outer: Arc<Mutex<u32>>, inner: Arc<Mutex<u32>>, millis: u64) {
    sleep(Duration::from_millis(millis)).await;
    let outer = outer.lock().await;
    sleep(Duration::from_millis(5)).await;
    tokio::task::yield_now().await;
    *inner.lock().await += *outer;
}

#[tokio::main]
async fn main() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let one = tokio::spawn(nested(a.clone(), b.clone(), 0));
    let other = tokio::spawn(nested(b, a, 80));
    one.await.unwrap();
    other.await.unwrap();
}
