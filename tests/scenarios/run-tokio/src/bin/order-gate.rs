//! id: order-gate
//! expect: none
//! suppressed: lock-order guarded
//! note: both tasks hold a third mutex around the two

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

#[derive(Default)]
struct Shop {
    gate: Mutex<()>,
    stock: Mutex<u32>,
    orders: Mutex<u32>,
}

#[tokio::main]
async fn main() {
    let shop = Arc::new(Shop::default());
    let of_task = shop.clone();
    let ship = tokio::spawn(async move {
        let _gate = of_task.gate.lock().await;
        let stock = of_task.stock.lock().await;
        *of_task.orders.lock().await += *stock;
    });
    let cancel = tokio::spawn(async move {
        sleep(Duration::from_millis(50)).await;
        let _gate = shop.gate.lock().await;
        let orders = shop.orders.lock().await;
        *shop.stock.lock().await += *orders;
    });
    ship.await.unwrap();
    cancel.await.unwrap();
}
