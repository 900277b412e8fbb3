//! Elements and readers of collections that are not the same lock, or not at the same time.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};

pub struct Rooms {
    rooms: HashMap<u32, Arc<Mutex<Vec<String>>>>,
    doors: Vec<RwLock<bool>>,
}

impl Rooms {
    pub fn two(&self, a: u32, b: u32) -> usize {
        if a == b {
            return 0;
        }
        let (one, two) = (self.rooms.get(&a).unwrap(), self.rooms.get(&b).unwrap());
        let (one, two) = if a < b { (one, two) } else { (two, one) };
        let one = one.lock().unwrap();
        let two = two.lock().unwrap();
        one.len() + two.len()
    }

    pub fn walk(&self) -> usize {
        let mut sum = 0;
        let mut last = None;
        for room in self.rooms.values() {
            let said = room.lock().unwrap();
            sum += said.len();
            last = Some(said);
        }
        drop(last);
        sum
    }

    pub fn ends(&self) -> bool {
        let first = self.doors.first().unwrap();
        let last = self.doors.last().unwrap();
        let one = first.write().unwrap();
        if std::ptr::eq(first, last) {
            return *one;
        }
        let two = last.write().unwrap();
        *one && *two
    }

    pub fn retry(&self, i: usize) -> bool {
        let door = &self.doors[i];
        loop {
            let is_open = door.read().unwrap();
            if *is_open {
                return true;
            }
            drop(is_open);
            *door.write().unwrap() = true;
        }
    }

    pub fn rebound(&self, order: &[usize]) -> bool {
        let mut door = &self.doors[order[0]];
        let mut held = door.write().unwrap();
        for &next in &order[1..] {
            door = &self.doors[next];
            held = door.write().unwrap();
        }
        *held
    }
}

fn main() {}
