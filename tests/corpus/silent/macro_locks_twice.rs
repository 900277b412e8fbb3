//! The cured form of `loud/macro_locks_twice.rs`: a macro locks what its invoker has locked.
use std::sync::Mutex;

macro_rules! bump {
    ($owner:expr, $field:ident) => {
        *$owner.$field.lock().unwrap() += 1
    };
}

pub struct Stats {
    reads: Mutex<u64>,
    writes: Mutex<u64>,
}

impl Stats {
    pub fn both(&self) {
        let reads = self.reads.lock().unwrap();
        if *reads > 3 {
            bump!(self, writes);
        }
    }
}

fn main() {
    let stats = Stats { reads: Mutex::new(9), writes: Mutex::new(0) };
    bump!(stats, writes);
    stats.both();
}
