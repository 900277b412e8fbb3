//! The cured form of `loud/joined_before_the_other_order.rs`: the threads that an iterator has
//! started are joined before the other order, or after.
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
        *self.till.lock().unwrap() += 1;
    }
    fn audit(&self) -> u32 {
        let till = self.till.lock().unwrap();
        *till + *self.stock.lock().unwrap()
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
    for clerk in clerks {
        clerk.join().unwrap();
    }
    println!("{}", shop.audit());
}
