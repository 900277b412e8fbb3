//! A flag says which of two locks is taken first; the other is let go before, or not.
use std::sync::{Arc, Mutex};
use std::thread;

struct Maps {
    roads: Mutex<Vec<u32>>,
    towns: Mutex<Vec<u32>>,
}

fn visit(maps: &Maps, roads_first: bool) {
    let early = if roads_first { Some(maps.roads.lock().unwrap()) } else { None };
    let towns = maps.towns.lock().unwrap(); // found: lock-order
    println!("{}", towns.len());
    let late = if roads_first { None } else { Some(maps.roads.lock().unwrap()) }; // found: lock-order
    println!("{}", early.is_some() || late.is_some());
}

fn main() {
    let maps = Arc::new(Maps { roads: Mutex::default(), towns: Mutex::default() });
    let other = maps.clone();
    let t = thread::spawn(move || visit(&other, true));
    visit(&maps, false);
    t.join().unwrap();
}
