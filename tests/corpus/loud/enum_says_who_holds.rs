//! An enum tells a callee whether it is called under the lock.
use std::sync::Mutex;

#[derive(Clone, Copy, PartialEq)]
pub enum Held {
    Yes,
    No,
}

pub struct Heap {
    blocks: Mutex<Vec<usize>>,
}

impl Heap {
    fn trim(&self, held: Held) {
        match held {
            Held::Yes => println!("trim"),
            Held::No => self.blocks.lock().unwrap().shrink_to_fit(),
        }
    }
    pub fn free(&self, at: usize) {
        let mut blocks = self.blocks.lock().unwrap(); // found: double-lock
        blocks.retain(|b| *b != at);
        self.trim(Held::No); // found: double-lock
    }
}

fn main() {
    let heap = Heap { blocks: Mutex::new(vec![1]) };
    heap.free(1);
    heap.trim(Held::No);
}
