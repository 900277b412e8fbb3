//! Of two futures the one that waits for a task is dropped; then the task of the two waits for something else, under
//! the lock that the first task needs.
//!
//! expect: none

use std::future::poll_fn;
use std::sync::{Arc, Mutex as StdMutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::sync::Mutex;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let state = Arc::new(Mutex::new(0));
    let other = Arc::clone(&state);
    let held = state.lock().await;
    let needs = tokio::spawn(async move { *other.lock().await += 1 });
    let abort = needs.abort_handle();
    tokio::select! {
        biased;
        _ = needs => unreachable!(),
        () = async {} => {}
    }
    let ring: Arc<StdMutex<(bool, Option<Waker>)>> = Arc::default();
    let rings = Arc::clone(&ring);
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        let mut ring = rings.lock().unwrap();
        ring.0 = true;
        ring.1.take().unwrap().wake();
    });
    poll_fn(|cx| {
        let mut ring = ring.lock().unwrap();
        ring.1 = Some(cx.waker().clone());
        if ring.0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    drop(held);
    thread.join().unwrap();
    while !abort.is_finished() {
        tokio::task::yield_now().await;
    }
}
