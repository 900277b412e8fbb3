//! Many tasks wait for a cell that one of them initialises, under a lock that no other needs for that.
//!
//! expect: none

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OnceCell};
use tokio::time::sleep;

static NAMES: OnceCell<usize> = OnceCell::const_new();

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let state = Arc::new(Mutex::new(0));
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let state = Arc::clone(&state);
            tokio::spawn(async move {
                let mut state = state.lock().await;
                *state += NAMES
                    .get_or_init(|| async {
                        sleep(Duration::from_millis(10)).await;
                        3
                    })
                    .await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*state.lock().await, 30);
}
