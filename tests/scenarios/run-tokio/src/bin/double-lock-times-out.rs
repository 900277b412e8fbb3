//! id: double-lock-times-out
//! expect: none
//! note: the second acquisition gives up

use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

#[tokio::main]
async fn main() {
    let m = Mutex::new(1);
    let first = m.lock().await;
    assert!(timeout(Duration::from_millis(10), m.lock()).await.is_err());
    drop(first);
    assert_eq!(*m.lock().await, 1);
}
