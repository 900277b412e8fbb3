//! id: order-agreed
//! expect: none
//! note: all tasks take the two in one order

use std::sync::Arc;
use tokio::sync::Mutex;

#[derive(Default)]
struct Shop {
    stock: Mutex<u32>,
    orders: Mutex<u32>,
}

#[tokio::main]
async fn main() {
    let shop = Arc::new(Shop::default());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let shop = shop.clone();
        tasks.spawn(async move {
            let stock = shop.stock.lock().await;
            tokio::task::yield_now().await;
            *shop.orders.lock().await += *stock;
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}
