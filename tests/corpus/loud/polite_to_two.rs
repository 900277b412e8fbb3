//! A loop takes one lock, tries another, lets go and begins again.
use std::sync::Mutex;

pub struct Table {
    forks: [Mutex<u32>; 2],
}

impl Table {
    pub fn eat(&self) -> u32 {
        loop {
            let mut left = self.forks[0].lock().unwrap();
            if let Ok(mut right) = self.forks[1].try_lock() { // found: try-lock-spin
                *left += 1;
                *right += 1;
                return *left;
            }
        }
    }
}

fn main() {
    Table { forks: [Mutex::new(0), Mutex::new(0)] }.eat();
}
