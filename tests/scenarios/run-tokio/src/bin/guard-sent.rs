//! id: guard-sent
//! expect: none
//! note: a guard goes to another task, which releases the mutex

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, Mutex, OwnedMutexGuard};
use tokio::time::sleep;

#[tokio::main]
async fn main() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let (sender, receiver) = oneshot::channel::<OwnedMutexGuard<u32>>();
    let (a2, b2) = (a.clone(), b.clone());
    let gives = tokio::spawn(async move {
        let guard = a.lock_owned().await;
        sender.send(guard).unwrap();
        *b.lock().await += 1;
    });
    let takes = tokio::spawn(async move {
        let b = b2.lock().await;
        sleep(Duration::from_millis(30)).await;
        drop(receiver.await.unwrap());
        drop(b);
    });
    gives.await.unwrap();
    takes.await.unwrap();
    assert_eq!(*a2.lock().await, 1);
}
