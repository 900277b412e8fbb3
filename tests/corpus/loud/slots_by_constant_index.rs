//! Two locks of an array, by constants, in opposite orders on threads of a scope.
use std::sync::Mutex;
use std::thread;

const NORTH: usize = 0;
const SOUTH: usize = 1;

fn main() {
    let gates = [Mutex::new(0u32), Mutex::new(0), Mutex::new(0)];
    thread::scope(|s| {
        s.spawn(|| {
            let mut north = gates[NORTH].lock().unwrap();
            let mut south = gates[SOUTH].lock().unwrap(); // found: lock-order
            std::mem::swap(&mut *north, &mut *south);
        });
        s.spawn(|| {
            let south = gates[SOUTH].lock().unwrap();
            let north = gates[NORTH].lock().unwrap(); // found: lock-order
            println!("{}", *north + *south);
        });
    });
}
