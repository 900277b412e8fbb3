//! id: deadlock-times-out
//! expect: lock-order reachable
//! accept: lock-order potential
//! note: one of the two gives up, so that nothing hangs

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

#[tokio::main]
async fn main() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let (a2, b2) = (a.clone(), b.clone());
    let one = tokio::spawn(async move {
        let a = a2.lock().await;
        sleep(Duration::from_millis(30)).await;
        *b2.lock().await += *a;
    });
    let other = tokio::spawn(async move {
        let b = b.lock().await;
        sleep(Duration::from_millis(30)).await;
        if let Ok(mut a) = timeout(Duration::from_millis(50), a.lock()).await {
            *a += *b;
        }
    });
    one.await.unwrap();
    other.await.unwrap();
}
