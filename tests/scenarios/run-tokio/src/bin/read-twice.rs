//! id: read-twice
//! expect: recursive-read potential
//! note: a writer that queues between the two makes both wait

use tokio::sync::RwLock;

#[tokio::main]
async fn main() {
    let m = RwLock::new(1);
    let first = m.read().await;
    let second = m.read().await;
    assert_eq!(*first, *second);
}
