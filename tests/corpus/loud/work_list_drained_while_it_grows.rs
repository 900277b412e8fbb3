//! A compiler's work list that is drained while it grows.
use std::collections::BTreeSet;
use std::sync::Mutex;

#[derive(Default)]
struct WorkList {
    blocks: Mutex<Vec<usize>>,
    done: Mutex<BTreeSet<usize>>,
}

impl WorkList {
    fn push(&self, block: usize) {
        if self.done.lock().unwrap().insert(block) {
            self.blocks.lock().unwrap().push(block); // found: double-lock
        }
    }
    fn run(&self, successors: &dyn Fn(usize) -> Vec<usize>) {
        while let Some(block) = self.blocks.lock().unwrap().pop() {
            for next in successors(block) {
                self.push(next); // found: double-lock
            }
        }
    }
}

fn main() {
    let w = WorkList::default();
    w.push(0);
    w.run(&|b| if b < 5 { vec![b + 1, b + 2] } else { vec![] });
}
