//! id: double-lock
//! expect: double-lock happened
//! note: a task waits for the mutex that it holds

use tokio::sync::Mutex;

#[tokio::main]
async fn main() {
    let task = tokio::spawn(async {
        let m = Mutex::new(1);
        let first = m.lock().await;
        let second = m.lock().await;
        drop((first, second));
    });
    assert!(task.await.is_err());
}
