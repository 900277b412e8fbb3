//! id: order-two-tasks-current-thread
//! expect: lock-order reachable
//! note: one thread polls both tasks, and they can still wait for each other

use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

static STOCK: Mutex<u32> = Mutex::const_new(1);
static ORDERS: Mutex<u32> = Mutex::const_new(2);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let ship = tokio::spawn(async {
        let stock = STOCK.lock().await;
        *ORDERS.lock().await += *stock;
    });
    let cancel = tokio::spawn(async {
        sleep(Duration::from_millis(20)).await;
        let orders = ORDERS.lock().await;
        *STOCK.lock().await += *orders;
    });
    ship.await.unwrap();
    cancel.await.unwrap();
}
