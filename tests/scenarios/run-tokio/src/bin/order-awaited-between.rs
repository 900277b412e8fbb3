//! id: order-awaited-between
//! expect: none
//! suppressed: lock-order ordered
//! note: the first task has ended, as its handle says, before the second exists

use tokio::sync::Mutex;

static MAP: Mutex<Vec<u32>> = Mutex::const_new(Vec::new());
static STATS: Mutex<u32> = Mutex::const_new(0);

#[tokio::main]
async fn main() {
    let load = tokio::spawn(async {
        let mut map = MAP.lock().await;
        map.push(1);
        *STATS.lock().await += 1;
    });
    load.await.unwrap();
    let save = tokio::spawn(async {
        let stats = STATS.lock().await;
        MAP.lock().await.push(*stats);
    });
    save.await.unwrap();
}
