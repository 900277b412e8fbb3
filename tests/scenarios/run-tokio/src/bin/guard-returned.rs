//! id: guard-returned
//! expect: none
//! note: a task ends with a guard, which is what it was for

use std::sync::Arc;
use tokio::sync::Mutex;

#[tokio::main]
async fn main() {
    let m = Arc::new(Mutex::new(1));
    let mut guard = tokio::spawn(m.clone().lock_owned()).await.unwrap();
    *guard += 1;
    drop(guard);
    assert_eq!(*m.lock().await, 2);
}
