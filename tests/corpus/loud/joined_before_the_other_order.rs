//! The threads that an iterator has started are joined before the other order, or after.
use std::sync::{Arc, Mutex};
use std::thread;

#[derive(Default)]
struct Shop {
    stock: Mutex<u32>,
    till: Mutex<u32>,
}

impl Shop {
    fn sell(&self) {
        let mut stock = self.stock.lock().unwrap();
        *stock = stock.saturating_sub(1);
        *self.till.lock().unwrap() += 1; // found: lock-order
    }
    fn audit(&self) -> u32 {
        let till = self.till.lock().unwrap();
        *till + *self.stock.lock().unwrap() // found: lock-order
    }
}

fn main() {
    let shop = Arc::new(Shop::default());
    let clerks: Vec<_> = (0..3)
        .map(|_| {
            let shop = Arc::clone(&shop);
            thread::spawn(move || shop.sell())
        })
        .collect();
    println!("{}", shop.audit());
    for clerk in clerks {
        clerk.join().unwrap();
    }
}
