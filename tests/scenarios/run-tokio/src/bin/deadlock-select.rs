//! id: deadlock-select
//! expect: lock-order reachable
//! accept: lock-order potential; none
//! note: a `select!` has another way out

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

#[tokio::main]
async fn main() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let (a2, b2) = (a.clone(), b.clone());
    let one = tokio::spawn(async move {
        let a = a2.lock().await;
        sleep(Duration::from_millis(30)).await;
        tokio::select! {
            mut b = b2.lock() => *b += *a,
            () = sleep(Duration::from_millis(100)) => {}
        }
    });
    let other = tokio::spawn(async move {
        let b = b.lock().await;
        sleep(Duration::from_millis(30)).await;
        *a.lock().await += *b;
    });
    one.await.unwrap();
    other.await.unwrap();
}
