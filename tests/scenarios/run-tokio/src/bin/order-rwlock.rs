//! id: order-rwlock
//! expect: lock-order reachable
//! note: a reader-writer lock and a mutex, written and read

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, RwLock};
use tokio::time::sleep;

#[tokio::main]
async fn main() {
    let routes = Arc::new(RwLock::new(1));
    let peers = Arc::new(Mutex::new(2));
    let (r, p) = (routes.clone(), peers.clone());
    let update = tokio::spawn(async move {
        let peers = p.lock().await;
        *r.write().await += *peers;
    });
    let look = tokio::spawn(async move {
        sleep(Duration::from_millis(50)).await;
        let routes = routes.read().await;
        *peers.lock().await += *routes;
    });
    update.await.unwrap();
    look.await.unwrap();
}
