//! id: double-lock-in-main
//! expect: double-lock happened
//! note: the future that the main thread itself runs

use std::sync::Arc;
use tokio::sync::Mutex;

struct Cache(Mutex<Vec<u32>>);

impl Cache {
    async fn len(&self) -> usize {
        self.0.lock().await.len()
    }

    async fn push(&self, value: u32) {
        let mut values = self.0.lock().await;
        if self.len().await < 10 {
            values.push(value);
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Arc::new(Cache(Mutex::default()));
    cache.push(1).await;
}
