//! A log with a short queue, filled under the lock that its reader needs.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

/// Where messages come from.
pub struct Source {
    sent: Arc<Mutex<usize>>,
    queue: SyncSender<String>,
}

/// Where they go.
pub struct Sink {
    sent: Arc<Mutex<usize>>,
    queue: Receiver<String>,
}

/// Both ends of a queue that has room for one message.
pub fn log() -> (Source, Sink) {
    let sent = Arc::new(Mutex::new(0));
    let (sender, receiver) = sync_channel(1);
    (Source { sent: Arc::clone(&sent), queue: sender }, Sink { sent, queue: receiver })
}

impl Source {
    /// Sends all of `messages`, with `sent` locked: waits when the queue is full.
    pub fn send_all(self, messages: &[&str]) {
        let mut sent = self.sent.lock().unwrap();
        for message in messages {
            self.queue.send((*message).to_owned()).unwrap();
            *sent += 1;
        }
    }
}

impl Sink {
    /// Takes messages and numbers them: locks `sent` after each.
    pub fn take_all(self) -> Vec<String> {
        let number = |message| format!("{message} of {}", self.sent.lock().unwrap());
        self.queue.iter().map(number).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    #[test]
    fn messages_arrive() {
        let (source, sink) = super::log();
        let send = || source.send_all(&["one", "two", "three"]);
        let writer = thread::Builder::new().name("writer".to_owned());
        thread::scope(|scope| {
            writer.spawn_scoped(scope, send).unwrap();
            assert_eq!(sink.take_all().len(), 3);
        });
    }
}
