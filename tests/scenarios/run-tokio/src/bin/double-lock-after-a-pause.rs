//! id: double-lock-after-a-pause
//! expect: double-lock happened
//! note: the mutex was acquired in an earlier poll

use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

#[tokio::main]
async fn main() {
    let m = Mutex::new(1);
    let first = m.lock().await;
    sleep(Duration::from_millis(10)).await;
    let second = m.lock().await;
    drop((first, second));
}
