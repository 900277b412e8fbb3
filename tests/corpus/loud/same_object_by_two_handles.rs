//! A clone of a handle locks what the handle has locked.
use std::sync::{Arc, Mutex};

struct Inner {
    items: Mutex<Vec<u32>>,
    label: String,
}

#[derive(Clone)]
pub struct Handle(Arc<Inner>);

impl Handle {
    pub fn sum(&self) -> u32 {
        self.0.items.lock().unwrap().iter().sum()
    }

    pub fn report(&self) -> String {
        let items = self.0.items.lock().unwrap(); // found: double-lock
        let first = items.first().copied();
        let again = self.clone();
        format!("{} {first:?} {}", self.0.label, again.sum()) // found: double-lock
    }
}

fn main() {
    let handle = Handle(Arc::new(Inner { items: Mutex::new(vec![1]), label: "l".into() }));
    println!("{}", handle.report());
}
