//! A blocking pool of two threads is enough for the same, and then has nothing to do for a while.
//!
//! expect: none

use std::time::Duration;

use tokio::runtime::{Builder, Handle};

fn main() {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).max_blocking_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let handle = Handle::current();
        let job = tokio::task::spawn_blocking(move || {
            let inner = handle.spawn_blocking(|| 1);
            handle.block_on(inner).unwrap()
        });
        assert_eq!(job.await.unwrap(), 1);
        tokio::time::sleep(Duration::from_millis(1200)).await;
    });
}
