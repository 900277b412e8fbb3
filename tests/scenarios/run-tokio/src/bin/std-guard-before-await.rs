//! As `std-guard-across-await`, but the lock is released before.
//!
//! expect: none

use std::sync::{Arc, Mutex};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let state = Arc::new(Mutex::new(0));
    let other = Arc::clone(&state);
    *state.lock().unwrap() += 1;
    let task = tokio::spawn(async move { *other.lock().unwrap() += 1 });
    task.await.unwrap();
}
