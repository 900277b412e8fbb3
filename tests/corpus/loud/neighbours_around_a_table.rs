//! Neighbours around a table, the last of whom is beside the first.
use std::sync::{Arc, Mutex};
struct Table {
    forks: Vec<Mutex<u32>>,
}
impl Table {
    fn dine(&self, seat: usize) {
        let right = (seat + 1) % self.forks.len();
        let mut a = self.forks[seat].lock().unwrap();
        let mut b = self.forks[right].lock().unwrap(); // found: same-class-nesting
        *a += 1;
        *b += 1;
    }
}
fn main() {
    let table = Arc::new(Table { forks: (0..5).map(|_| Mutex::new(0)).collect() });
    let threads: Vec<_> = (0..5)
        .map(|seat| {
            let table = table.clone();
            std::thread::spawn(move || table.dine(seat))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}
