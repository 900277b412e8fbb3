//! id: double-lock-other-future
//! expect: none
//! note: one future of the task waits for the mutex that another one holds, and gets it

use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

#[tokio::main]
async fn main() {
    let m = Mutex::new(1);
    let holds = async {
        let mut guard = m.lock().await;
        sleep(Duration::from_millis(30)).await;
        *guard += 1;
    };
    let waits = async { *m.lock().await += 1 };
    tokio::join!(holds, waits);
    assert_eq!(*m.lock().await, 3);
}
