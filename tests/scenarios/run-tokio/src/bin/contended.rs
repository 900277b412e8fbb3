//! id: contended
//! expect: none
//! note: many tasks wait for one mutex, which moves on

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

#[tokio::main]
async fn main() {
    let m = Arc::new(Mutex::new(0));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let m = m.clone();
            tokio::spawn(async move {
                let mut guard = m.lock().await;
                sleep(Duration::from_millis(1)).await;
                *guard += 1;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*m.lock().await, 50);
}
