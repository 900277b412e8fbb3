//! A connection with at most one open transaction, which rolls back when it is dropped.
use std::sync::{Arc, Mutex};

struct Change {
    connection: Arc<Connection>,
    writes: Vec<u8>,
}

#[derive(Default)]
struct State {
    open: Option<Box<Change>>,
    rolled_back: usize,
}

#[derive(Default)]
struct Connection {
    state: Mutex<State>,
}

impl Drop for Change {
    fn drop(&mut self) {
        if !self.writes.is_empty() {
            self.connection.state.lock().unwrap().rolled_back += 1; // found: drop-under-lock
        }
    }
}

fn begin(connection: &Arc<Connection>) {
    let mut state = connection.state.lock().unwrap();
    state.open = Some(Box::new(Change { connection: connection.clone(), writes: vec![1] })); // found: drop-under-lock
}

fn main() {
    let c = Arc::new(Connection::default());
    begin(&c);
    begin(&c);
}
