//! id: double-lock-rwlock
//! expect: double-lock happened
//! note: a task writes what it reads

use tokio::sync::RwLock;

#[tokio::main]
async fn main() {
    let m = RwLock::new(1);
    let read = m.read().await;
    *m.write().await += *read;
}
