//! id: futurelock-in-a-task
//! expect: futurelock
//! note: a future that writes through a helper is left in the middle, and its task writes too

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::RwLock;
use tokio::time::{interval, sleep};

#[derive(Default)]
struct Journal {
    lines: RwLock<Vec<String>>,
}

impl Journal {
    async fn note(&self, line: &str) {
        let mut lines = self.lines.write().await;
        lines.push(line.to_owned());
    }

    async fn dump(&self) -> usize {
        let lines = self.lines.read().await;
        sleep(Duration::from_millis(40)).await;
        lines.len()
    }
}

#[tokio::main]
async fn main() {
    let journal = Arc::new(Journal::default());
    let reader = journal.clone();
    let reads = tokio::spawn(async move { reader.dump().await });
    let writes = tokio::spawn(async move {
        sleep(Duration::from_millis(5)).await;
        let started = journal.note("started");
        tokio::pin!(started);
        let mut ticks = interval(Duration::from_millis(10));
        ticks.tick().await;
        tokio::select! {
            () = &mut started => {}
            _ = ticks.tick() => journal.note("slow").await,
        }
    });
    writes.await.unwrap();
    reads.await.unwrap();
}
