//! id: double-lock-two-objects
//! expect: none
//! note: two mutexes made at one place

use tokio::sync::Mutex;

#[tokio::main]
async fn main() {
    let all: Vec<Mutex<u32>> = (0..2).map(Mutex::new).collect();
    let first = all[0].lock().await;
    *all[1].lock().await += *first;
}
