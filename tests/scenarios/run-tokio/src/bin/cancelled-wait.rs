//! id: cancelled-wait
//! expect: none
//! note: a wait that was given up leaves nothing behind

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

#[tokio::main]
async fn main() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let (a2, b2) = (a.clone(), b.clone());
    let holder = tokio::spawn(async move {
        let _b = b2.lock().await;
        sleep(Duration::from_millis(60)).await;
    });
    let waits = tokio::spawn(async move {
        sleep(Duration::from_millis(10)).await;
        assert!(timeout(Duration::from_millis(10), b.lock()).await.is_err());
        *a.lock().await += 1;
    });
    holder.await.unwrap();
    waits.await.unwrap();
    assert_eq!(*a2.lock().await, 2);
}
