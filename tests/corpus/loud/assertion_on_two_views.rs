//! An assertion locks on its left side and in a call on its right.
use std::sync::Mutex;

pub struct Inventory {
    items: Mutex<Vec<u32>>,
    limit: usize,
}

impl Inventory {
    fn free(&self) -> usize {
        self.limit - self.items.lock().unwrap().len()
    }
    pub fn check(&self) {
        assert_eq!(self.items.lock().unwrap().len() + self.free(), self.limit); // found: double-lock
    }
}

fn main() {
    Inventory { items: Mutex::new(vec![1]), limit: 3 }.check();
}
