//! id: futurelock-by-another-waker
//! expect: none
//! note: the first future is not polled for a while, and a timer of the task brings it back

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

#[tokio::main]
async fn main() {
    let account = Arc::new(Mutex::new(1));
    let held = account.clone();
    let holder = tokio::spawn(async move {
        let mut account = held.lock().await;
        sleep(Duration::from_millis(40)).await;
        *account += 1;
    });
    sleep(Duration::from_millis(10)).await;
    let mut first = pin!(account.lock());
    tokio::select! {
        _ = &mut first => {}
        () = sleep(Duration::from_millis(10)) => {}
    }
    let second = timeout(Duration::from_millis(60), account.lock()).await;
    assert!(second.is_err());
    *first.await += 1;
    holder.await.unwrap();
    assert_eq!(*account.lock().await, 3);
}
