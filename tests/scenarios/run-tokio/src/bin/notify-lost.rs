//! All that wait are notified before there is one, which then waits for ever.
//!
//! expect: stuck-wait happened

use tokio::sync::Notify;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let ready = Notify::new();
    ready.notify_waiters();
    ready.notified().await;
}
