//! id: cancelled-task
//! expect: none
//! note: a task that is aborted releases what it holds

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

#[tokio::main]
async fn main() {
    let m = Arc::new(Mutex::new(1));
    let of_task = m.clone();
    let task = tokio::spawn(async move {
        let _guard = of_task.lock().await;
        sleep(Duration::from_secs(3600)).await;
    });
    sleep(Duration::from_millis(20)).await;
    task.abort();
    *m.lock().await += 1;
    assert!(task.await.is_err());
}
