//! A list is shortened under its lock, which the `Drop` of its elements takes.
use std::sync::{Arc, Mutex};

struct Listener {
    open: Mutex<Vec<Connection>>,
    closed: Mutex<u32>,
}

struct Connection {
    number: u32,
    owner: Option<Arc<Listener>>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(owner) = &self.owner {
            let left = owner.open.lock().unwrap().len() as u32;
            *owner.closed.lock().unwrap() += self.number.min(left);
        }
    }
}

fn limit(listener: &Listener, most: usize) {
    let mut open = listener.open.lock().unwrap(); // found: drop-under-lock
    open.truncate(most); // found: drop-under-lock
}

fn main() {
    let listener = Arc::new(Listener { open: Mutex::default(), closed: Mutex::default() });
    let connection = Connection { number: 1, owner: Some(listener.clone()) };
    listener.open.lock().unwrap().push(connection);
    limit(&listener, 0);
}
