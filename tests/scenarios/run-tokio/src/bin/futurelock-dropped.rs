//! id: futurelock-dropped
//! expect: none
//! note: the first future ends with the `select!`, so that it has left the queue

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

#[tokio::main]
async fn main() {
    let account = Arc::new(Mutex::new(1));
    let held = account.clone();
    let holder = tokio::spawn(async move {
        let mut account = held.lock().await;
        sleep(Duration::from_millis(60)).await;
        *account += 1;
    });
    sleep(Duration::from_millis(10)).await;
    tokio::select! {
        _ = account.lock() => {}
        () = sleep(Duration::from_millis(10)) => {}
    }
    *account.lock().await += 1;
    holder.await.unwrap();
    assert_eq!(*account.lock().await, 3);
}
