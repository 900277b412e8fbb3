//! id: futurelock-polled-on
//! expect: none
//! note: both futures are polled until they are ready, and the first is taken up again after a pause

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
    let first = async { *account.lock().await += 1 };
    let mut first = pin!(first);
    tokio::select! {
        () = &mut first => {}
        () = sleep(Duration::from_millis(10)) => {}
    }
    let second = async { *account.lock().await += 1 };
    tokio::join!(second, first);
    holder.await.unwrap();
    assert_eq!(*account.lock().await, 4);
}
