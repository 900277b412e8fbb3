//! The cured form of `loud/struct_literal.rs`: a guard in one field of a struct literal lives
//! on while the next is made.
use std::sync::RwLock;

#[derive(Debug)]
pub struct Summary {
    count: usize,
    total: u64,
}

pub struct Ledger {
    rows: RwLock<Vec<u64>>,
}

impl Ledger {
    fn drain_total(&self) -> u64 {
        self.rows.write().unwrap().drain(..).sum()
    }

    pub fn close(&self) -> Summary {
        let count = self.rows.read().unwrap().len();
        Summary { count, total: self.drain_total() }
    }
}

fn main() {
    println!("{:?}", Ledger { rows: RwLock::new(vec![3, 4]) }.close());
}
