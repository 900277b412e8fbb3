//! A log that writes its lines in a task of their own, and is flushed under the lock that this task needs.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

/// What has been written.
#[derive(Default)]
pub struct Written {
    lines: Mutex<Vec<String>>,
}

/// Lines on their way to the writer, of which a few may wait.
pub struct Log {
    written: Arc<Written>,
    lines: mpsc::Sender<String>,
}

impl Log {
    /// A log with its writer.
    pub fn new() -> (Log, JoinHandle<()>) {
        let (lines, mut queue) = mpsc::channel(2);
        let written = Arc::new(Written::default());
        let writer = tokio::spawn({
            let written = Arc::clone(&written);
            async move {
                while let Some(line) = queue.recv().await {
                    written.lines.lock().await.push(line);
                }
            }
        });
        (Log { written, lines }, writer)
    }

    /// Adds a line to the queue, once there is room.
    pub async fn add(&self, line: String) {
        self.lines.send(line).await.expect("the writer ends last");
    }

    /// Begins again with a copy of the last lines.
    pub async fn rotate(&self, keep: usize) {
        let mut written = self.written.lines.lock().await;
        let kept = written.len().saturating_sub(keep);
        for line in written.drain(..).skip(kept) {
            self.add(line).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Log;

    #[tokio::test]
    async fn the_last_lines_are_kept() {
        let (log, writer) = Log::new();
        for n in 0..20 {
            log.add(format!("line {n}")).await;
        }
        while log.written.lines.lock().await.len() < 20 {
            tokio::task::yield_now().await;
        }
        log.rotate(8).await;
        drop(log);
        writer.await.unwrap();
    }
}
