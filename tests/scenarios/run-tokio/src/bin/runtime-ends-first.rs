//! id: runtime-ends-first
//! expect: none
//! note: a runtime that is dropped while its tasks hold and wait

use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use tokio::time::sleep;

fn main() {
    let m = Arc::new(Mutex::new(1));
    for _ in 0..3 {
        let runtime = Runtime::new().unwrap();
        for _ in 0..5 {
            let m = m.clone();
            runtime.spawn(async move {
                let _guard = m.lock().await;
                sleep(Duration::from_secs(3600)).await;
            });
        }
        runtime.block_on(sleep(Duration::from_millis(20)));
        drop(runtime);
        assert!(m.try_lock().is_ok());
    }
}
