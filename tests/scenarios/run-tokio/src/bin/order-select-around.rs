//! id: order-select-around
//! expect: none
//! note: two futures of one task hold one mutex each, and neither waits for the other

use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

async fn slow(lock: &Mutex<u32>) {
    let mut guard = lock.lock().await;
    sleep(Duration::from_millis(30)).await;
    *guard += 1;
}

async fn late(lock: &Mutex<u32>) {
    sleep(Duration::from_millis(10)).await;
    *lock.lock().await += 1;
}

#[tokio::main]
async fn main() {
    let a = Mutex::new(1);
    let b = Mutex::new(2);
    tokio::join!(slow(&a), late(&b));
    let other = tokio::spawn(async move {
        tokio::join!(slow(&b), late(&a));
    });
    other.await.unwrap();
}
