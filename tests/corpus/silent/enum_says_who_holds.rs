//! The cured form of `loud/enum_says_who_holds.rs`: an enum tells a callee whether it is called
//! under the lock.
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
        let mut blocks = self.blocks.lock().unwrap();
        blocks.retain(|b| *b != at);
        self.trim(Held::Yes);
    }
}

fn main() {
    let heap = Heap { blocks: Mutex::new(vec![1]) };
    heap.free(1);
    heap.trim(Held::No);
}
