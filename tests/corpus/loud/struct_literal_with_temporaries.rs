//! Statistics of a shop, taken in one struct literal.
use std::collections::BTreeMap;
use std::sync::Mutex;

struct Shop {
    stock: Mutex<BTreeMap<u32, u32>>,
    orders: Mutex<Vec<u32>>,
}

struct Snapshot {
    kinds: usize,
    pieces: u32,
    orders: usize,
}

impl Shop {
    fn pieces(&self) -> u32 {
        self.stock.lock().unwrap().values().sum() // found: double-lock
    }
    fn snapshot(&self) -> Snapshot {
        Snapshot {
            kinds: self.stock.lock().unwrap().len(),
            orders: self.orders.lock().unwrap().len(),
            pieces: self.pieces(), // found: double-lock
        }
    }
}

fn main() {
    let shop = Shop { stock: Mutex::new(BTreeMap::from([(1, 5)])), orders: Mutex::default() };
    let s = shop.snapshot();
    println!("{} {} {}", s.kinds, s.pieces, s.orders);
}
