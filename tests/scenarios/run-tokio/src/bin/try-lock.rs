//! id: try-lock
//! expect: none
//! note: an attempt waits for nobody

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

#[tokio::main]
async fn main() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let (a2, b2) = (a.clone(), b.clone());
    let waits = tokio::spawn(async move {
        let a = a2.lock().await;
        *b2.lock().await += *a;
    });
    let tries = tokio::spawn(async move {
        sleep(Duration::from_millis(30)).await;
        let b = b.lock().await;
        if let Ok(mut a) = a.try_lock() {
            *a += *b;
        }
    });
    waits.await.unwrap();
    tries.await.unwrap();
}
