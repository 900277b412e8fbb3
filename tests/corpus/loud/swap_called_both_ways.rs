//! A function locks its two parameters in order; its callers give them both ways around.
use std::sync::{Arc, Mutex};
use std::thread;

fn swap(a: &Mutex<u32>, b: &Mutex<u32>) {
    let mut a = a.lock().unwrap();
    let mut b = b.lock().unwrap(); // found: lock-order
    std::mem::swap(&mut *a, &mut *b);
}

fn main() {
    let x = Arc::new(Mutex::new(1));
    let y = Arc::new(Mutex::new(2));
    let (x2, y2) = (x.clone(), y.clone());
    let t = thread::spawn(move || swap(&y2, &x2));
    swap(&x, &y);
    t.join().unwrap();
}
