//! The cured form of `loud/scoped_join_under_write_lock.rs`: a thread of a scope is joined
//! under a lock.
use std::sync::RwLock;
use std::thread;

pub struct Table {
    rows: RwLock<Vec<u64>>,
}

impl Table {
    fn sum(&self) -> u64 {
        self.rows.read().unwrap().iter().sum()
    }

    pub fn rebuild(&self) {
        let mut rows = self.rows.write().unwrap();
        let total = thread::scope(|scope| {
            let worker = scope.spawn(|| {
                rows_sum(&[1, 2])
            });
            worker.join().unwrap()
        });
        rows.push(total);
    }
}

pub fn rows_sum(rows: &[u64]) -> u64 {
    rows.iter().sum()
}

fn main() {
    let table = Table { rows: RwLock::new(vec![1]) };
    println!("{}", table.sum());
    table.rebuild();
}
