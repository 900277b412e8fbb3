//! id: order-local-tasks
//! expect: lock-order reachable
//! note: tasks of a `LocalSet`

use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::{spawn_local, LocalSet};
use tokio::time::sleep;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let set = LocalSet::new();
    set.run_until(async {
        let a = Rc::new(Mutex::new(1));
        let b = Rc::new(Mutex::new(2));
        let (a2, b2) = (a.clone(), b.clone());
        let one = spawn_local(async move {
            let a = a2.lock().await;
            *b2.lock().await += *a;
        });
        let other = spawn_local(async move {
            sleep(Duration::from_millis(20)).await;
            let b = b.lock().await;
            *a.lock().await += *b;
        });
        one.await.unwrap();
        other.await.unwrap();
    })
    .await;
}
