//! A blocking pool of one thread, whose job waits for a job in the queue.
//!
//! expect: stuck-wait happened

use tokio::runtime::{Builder, Handle};

fn main() {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).max_blocking_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let handle = Handle::current();
        let job = tokio::task::spawn_blocking(move || {
            let inner = handle.spawn_blocking(|| 1);
            handle.block_on(inner).map(drop)
        });
        let _ = job.await;
    });
}
