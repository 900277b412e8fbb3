//! The cured form of `loud/slots_by_constant_index.rs`: two locks of an array, by constants, in
//! opposite orders on threads of a scope.
use std::sync::Mutex;
use std::thread;

const NORTH: usize = 0;
const SOUTH: usize = 1;

fn main() {
    let gates = [Mutex::new(0u32), Mutex::new(0), Mutex::new(0)];
    thread::scope(|s| {
        s.spawn(|| {
            let mut north = gates[NORTH].lock().unwrap();
            let mut south = gates[SOUTH].lock().unwrap();
            std::mem::swap(&mut *north, &mut *south);
        });
        s.spawn(|| {
            let north = gates[NORTH].lock().unwrap();
            let south = gates[SOUTH].lock().unwrap();
            println!("{}", *north + *south);
        });
    });
}
