//! id: order-set-up-before-spawn
//! expect: none
//! suppressed: lock-order ordered
//! note: what the future of `main` does before it spawns comes before all that the task does

use std::sync::Arc;
use tokio::sync::Mutex;

#[tokio::main]
async fn main() {
    let pool = Arc::new(Mutex::new(Vec::new()));
    let config = Arc::new(Mutex::new(3));
    {
        let config = config.lock().await;
        pool.lock().await.extend(0..*config);
    }
    let task = tokio::spawn(async move {
        let pool = pool.lock().await;
        *config.lock().await = pool.len() as u32;
    });
    task.await.unwrap();
}
