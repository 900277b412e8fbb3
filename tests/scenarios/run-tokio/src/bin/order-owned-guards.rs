//! id: order-owned-guards
//! expect: lock-order reachable
//! note: guards that own their mutex

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

#[tokio::main]
async fn main() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let (a2, b2) = (a.clone(), b.clone());
    let one = tokio::spawn(async move {
        let a = a2.lock_owned().await;
        *b2.lock_owned().await += *a;
    });
    let other = tokio::spawn(async move {
        sleep(Duration::from_millis(50)).await;
        let b = b.lock_owned().await;
        *a.lock_owned().await += *b;
    });
    one.await.unwrap();
    other.await.unwrap();
}
