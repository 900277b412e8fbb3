//! id: futurelock-select
//! expect: futurelock
//! note: the task goes on behind a `select!` on a future that is in the queue for the mutex

use std::pin::pin;
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
    let mut first = pin!(account.lock());
    tokio::select! {
        _ = &mut first => {}
        () = sleep(Duration::from_millis(10)) => {}
    }
    *account.lock().await += 1;
    holder.await.unwrap();
}
