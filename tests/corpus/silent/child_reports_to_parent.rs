//! A child asks for its parent, and a parent for its children, each without its own lock.
use std::sync::{Arc, Mutex, Weak};

struct Node {
    size: Mutex<u64>,
    parent: Option<Weak<Node>>,
    children: Mutex<Vec<Arc<Node>>>,
}

impl Node {
    fn grow(&self, by: u64) {
        let mut size = self.size.lock().unwrap();
        *size += by;
        drop(size);
        if let Some(parent) = self.parent.as_ref().and_then(Weak::upgrade) {
            parent.grow(by);
        }
    }

    fn total(&self) -> u64 {
        let size = self.size.lock().unwrap();
        let own = *size;
        drop(size);
        let below: u64 = self.children.lock().unwrap().iter().map(|child| *child.size.lock().unwrap()).sum();
        own + below
    }
}

fn main() {
    let root = Arc::new(Node { size: Mutex::new(0), parent: None, children: Mutex::default() });
    let leaf = Arc::new(Node { size: Mutex::new(0), parent: Some(Arc::downgrade(&root)), children: Mutex::default() });
    root.children.lock().unwrap().push(leaf.clone());
    leaf.grow(2);
    println!("{}", root.total());
}
