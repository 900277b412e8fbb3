//! id: order-readers
//! expect: lock-order needs-writer
//! accept: lock-order potential; none
//! note: only readers, which wait for each other once writers queue

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::RwLock;
use tokio::time::sleep;

#[tokio::main]
async fn main() {
    let a = Arc::new(RwLock::new(1));
    let b = Arc::new(RwLock::new(2));
    let (a2, b2) = (a.clone(), b.clone());
    let one = tokio::spawn(async move {
        let a = a2.read().await;
        assert!(*a < *b2.read().await);
    });
    let other = tokio::spawn(async move {
        sleep(Duration::from_millis(50)).await;
        let b = b.read().await;
        assert!(*b > *a.read().await);
    });
    one.await.unwrap();
    other.await.unwrap();
}
