//! id: futurelock-sent-away
//! expect: none
//! note: the first future was polled here once, and is finished by a task of its own

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
    let mut first = Box::pin(account.clone().lock_owned());
    tokio::select! {
        _ = &mut first => {}
        () = sleep(Duration::from_millis(10)) => {}
    }
    let first = tokio::spawn(async move {
        sleep(Duration::from_millis(80)).await;
        *first.await += 1;
    });
    *account.lock().await += 1;
    first.await.unwrap();
    holder.await.unwrap();
    assert_eq!(*account.lock().await, 4);
}
