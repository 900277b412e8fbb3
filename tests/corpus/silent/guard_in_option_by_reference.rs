//! The cured form of `loud/guard_in_option_by_reference.rs`: a callee is lent the guard, or
//! told that there is none.
use std::sync::{Mutex, MutexGuard};

pub struct Queue {
    items: Mutex<Vec<u32>>,
}

impl Queue {
    fn push(&self, item: u32, held: Option<&mut MutexGuard<'_, Vec<u32>>>) {
        match held {
            Some(items) => items.push(item),
            None => self.items.lock().unwrap().push(item),
        }
    }

    pub fn push_two(&self, a: u32, b: u32) {
        let mut items = self.items.lock().unwrap();
        items.push(a);
        self.push(b, Some(&mut items));
    }
}

fn main() {
    let queue = Queue { items: Mutex::default() };
    queue.push(1, None);
    queue.push_two(2, 3);
}
