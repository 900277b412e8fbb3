//! A function that locks its parameters in order, called so that no two threads disagree.
use std::sync::{Arc, Mutex};
use std::thread;

fn swap(a: &Mutex<u32>, b: &Mutex<u32>) {
    let mut a = a.lock().unwrap();
    let mut b = b.lock().unwrap();
    std::mem::swap(&mut *a, &mut *b);
}

fn one_way() {
    let x = Arc::new(Mutex::new(1));
    let y = Arc::new(Mutex::new(2));
    let (x2, y2) = (x.clone(), y.clone());
    let t = thread::spawn(move || swap(&x2, &y2));
    swap(&x, &y);
    t.join().unwrap();
}

fn back_after_join() {
    let x = Arc::new(Mutex::new(1));
    let y = Arc::new(Mutex::new(2));
    let (x2, y2) = (x.clone(), y.clone());
    thread::spawn(move || swap(&x2, &y2)).join().unwrap();
    swap(&y, &x);
}

fn alone() {
    let x = Mutex::new(1);
    let y = Mutex::new(2);
    swap(&x, &y);
    swap(&y, &x);
}

fn others() {
    let x = Arc::new(Mutex::new(1));
    let y = Arc::new(Mutex::new(2));
    let z = Arc::new(Mutex::new(3));
    let (y2, z2) = (y.clone(), z.clone());
    let t = thread::spawn(move || swap(&y2, &z2));
    swap(&x, &y);
    t.join().unwrap();
}

fn main() {
    one_way();
    back_after_join();
    alone();
    others();
}
