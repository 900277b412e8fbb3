//! A list of trait objects is cleared under its lock, which the `Drop` of one of them takes.
use std::sync::{Arc, Mutex, Weak};

trait Session: Send {
    fn id(&self) -> u64;
}

struct Registry {
    sessions: Mutex<Vec<Box<dyn Session>>>,
}

struct Tcp {
    id: u64,
    registry: Weak<Registry>,
}

impl Session for Tcp {
    fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for Tcp {
    fn drop(&mut self) {
        if let Some(registry) = self.registry.upgrade() {
            registry.sessions.lock().unwrap().retain(|s| s.id() != self.id);
        }
    }
}

impl Registry {
    fn shutdown(&self) {
        self.sessions.lock().unwrap().clear(); // found: drop-under-lock
    }
}

fn main() {
    let registry = Arc::new(Registry { sessions: Mutex::default() });
    let session = Tcp { id: 1, registry: Arc::downgrade(&registry) };
    registry.sessions.lock().unwrap().push(Box::new(session));
    registry.shutdown();
}
