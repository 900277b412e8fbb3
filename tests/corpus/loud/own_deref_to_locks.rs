//! A handle of the program's own leads to locks by `Deref`, and takes them in what looks harmless.
use std::ops::Deref;
use std::sync::{Arc, Mutex};

pub struct Inner {
    users: Mutex<usize>,
    names: Mutex<Vec<String>>,
}

pub struct Handle {
    inner: Arc<Inner>,
}

impl Deref for Handle {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl Clone for Handle {
    fn clone(&self) -> Handle {
        *self.inner.users.lock().unwrap() += 1;
        Handle { inner: Arc::clone(&self.inner) }
    }
}

impl Handle {
    fn rename(&self) {
        self.inner.names.lock().unwrap().clear();
    }
}

pub struct Client(Handle);

impl Client {
    pub fn another(&self) -> Option<Client> {
        let users = self.0.users.lock().unwrap();
        if *users > 3 {
            return None;
        }
        Some(Client(self.0.clone())) // found: double-lock
    }

    pub fn clear(&self) -> usize {
        let names = self.0.names.lock().unwrap();
        self.0.rename(); // found: double-lock
        names.len()
    }
}

fn main() {}
