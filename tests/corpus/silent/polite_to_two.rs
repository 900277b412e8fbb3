//! The cured form of `loud/polite_to_two.rs`: a loop takes one lock, tries another, lets go and
//! begins again.
use std::sync::Mutex;

pub struct Table {
    forks: [Mutex<u32>; 2],
}

impl Table {
    pub fn eat(&self) -> u32 {
        let mut left = self.forks[0].lock().unwrap();
        let mut right = self.forks[1].lock().unwrap();
        *left += 1;
        *right += 1;
        *left
    }
}

fn main() {
    Table { forks: [Mutex::new(0), Mutex::new(0)] }.eat();
}
