//! A handle of the program's own leads to locks by `Deref`, of which no two are one at a time.
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

pub struct Client(Handle);

impl Client {
    pub fn released(&self) -> Option<Client> {
        if *self.0.users.lock().unwrap() > 3 {
            return None;
        }
        Some(Client(self.0.clone()))
    }

    pub fn under_the_other(&self) -> (usize, Client) {
        let names = self.0.names.lock().unwrap();
        (names.len(), Client(self.0.clone()))
    }

    pub fn handle_alone(&self) -> Arc<Inner> {
        let users = self.0.users.lock().unwrap();
        println!("{users}");
        Arc::clone(&self.0.inner)
    }

    pub fn of_another(&self, other: &Client) -> Client {
        let users = self.0.users.lock().unwrap();
        println!("{users}");
        drop(users);
        let names = other.0.names.lock().unwrap();
        println!("{}", names.len());
        Client(self.0.clone())
    }
}

fn main() {}
