//! id: deadlock-three
//! expect: deadlock happened
//! accept: same-class-nesting potential; lock-order reachable; lock-order potential
//! note: three tasks in a circle

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

async fn nested(outer: Arc<Mutex<u32>>, inner: Arc<Mutex<u32>>) {
    let outer = outer.lock().await;
    sleep(Duration::from_millis(50)).await;
    *inner.lock().await += *outer;
}

#[tokio::main]
async fn main() {
    let forks: Vec<_> = (0..3).map(|n| Arc::new(Mutex::new(n))).collect();
    let tasks: Vec<_> = (0..3)
        .map(|n| tokio::spawn(nested(forks[n].clone(), forks[(n + 1) % 3].clone())))
        .collect();
    let mut failed = 0;
    for task in tasks {
        failed += u32::from(task.await.is_err());
    }
    assert_eq!(failed, 1);
}
