//! A journal that warns when a note takes long, and notes that as well: the note that was begun is first in the
//! queue for the lock, and nobody polls it any more.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::sleep;

/// How long a note may take.
const PATIENCE: Duration = Duration::from_millis(20);

/// Lines, in the order in which they were noted.
#[derive(Default)]
pub struct Journal {
    lines: Mutex<Vec<String>>,
}

impl Journal {
    /// Adds a line.
    pub async fn note(&self, line: &str) {
        self.lines.lock().await.push(line.to_owned());
    }

    /// Writes all lines to a slow disk.
    pub async fn save(&self) -> usize {
        let lines = self.lines.lock().await;
        sleep(PATIENCE * 3).await;
        lines.len()
    }

    /// Adds a line, and another one if that takes long.
    pub async fn note_with_patience(&self, line: &str) {
        let noted = self.note(line);
        tokio::pin!(noted);
        tokio::select! {
            () = &mut noted => return,
            () = sleep(PATIENCE) => {}
        }
        self.lines.lock().await.push(format!("{line} takes long"));
        noted.await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Journal;

    #[tokio::test]
    async fn lines_are_noted_while_the_journal_is_saved() {
        let journal = Arc::new(Journal::default());
        let saved = tokio::spawn({
            let journal = journal.clone();
            async move { journal.save().await }
        });
        tokio::task::yield_now().await;
        journal.note_with_patience("started").await;
        assert_eq!(saved.await.unwrap(), 0);
        assert_eq!(journal.lines.lock().await.len(), 2);
    }
}
