//! A task asks for the only permit again while it has it.
//!
//! expect: double-lock happened

use tokio::sync::Semaphore;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let turn = Semaphore::new(1);
    let _first = turn.acquire().await.unwrap();
    let _second = turn.acquire().await.unwrap();
}
