//! id: cancelled-loser
//! expect: none
//! note: the future that `select!` drops releases what it holds

use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

#[tokio::main]
async fn main() {
    let m = Mutex::new(1);
    tokio::select! {
        () = async {
            let _guard = m.lock().await;
            sleep(Duration::from_secs(3600)).await;
        } => {}
        () = sleep(Duration::from_millis(10)) => {}
    }
    *m.lock().await += 1;
}
