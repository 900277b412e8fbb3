//! Sessions that tell their registry when they end.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

#[derive(Default)]
struct Registry {
    sessions: Mutex<HashMap<u64, Session>>,
}

struct Session {
    user: String,
    registry: Weak<Registry>,
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(registry) = self.registry.upgrade() {
            let left = registry.sessions.lock().unwrap().len();
            println!("{} leaves {left}", self.user);
        }
    }
}

impl Registry {
    fn login(self: &Arc<Self>, id: u64, user: &str) {
        let session = Session { user: user.into(), registry: Arc::downgrade(self) };
        let old = self.sessions.lock().unwrap().insert(id, session);
        drop(old);
    }
}

fn main() {
    let r = Arc::new(Registry::default());
    r.login(1, "ada");
    r.login(1, "bob");
}
