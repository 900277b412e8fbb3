//! id: order-two-tasks
//! expect: lock-order reachable
//! note: two tasks that live at one time, kept apart by a pause

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

#[tokio::main]
async fn main() {
    let stock = Arc::new(Mutex::new(1));
    let orders = Arc::new(Mutex::new(2));
    let (a, b) = (stock.clone(), orders.clone());
    let ship = tokio::spawn(async move {
        let stock = a.lock().await;
        *b.lock().await += *stock;
    });
    let cancel = tokio::spawn(async move {
        sleep(Duration::from_millis(50)).await;
        let orders = orders.lock().await;
        *stock.lock().await += *orders;
    });
    ship.await.unwrap();
    cancel.await.unwrap();
}
