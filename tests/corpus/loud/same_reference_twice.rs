//! Whatever a local reference leads to, it is the same lock until the reference changes.
use std::sync::Mutex;

pub struct Item {
    m: Mutex<u32>,
}

pub struct All {
    plain: Vec<Item>,
}

impl All {
    pub fn each(&self) {
        for b in &self.plain {
            let g = b.m.lock().unwrap();
            *b.m.lock().unwrap() = *g; // found: double-lock
        }
    }

    pub fn at(&self, i: usize) -> u32 {
        let g = self.plain[i].m.lock().unwrap();
        *g + *self.plain[i].m.lock().unwrap() // found: double-lock
    }

    pub fn first(&self) -> u32 {
        let one = self.plain.iter().next().unwrap();
        let g = one.m.lock().unwrap();
        *g + *one.m.lock().unwrap() // found: double-lock
    }

    pub fn got(&self, i: usize) -> u32 {
        let one = self.plain.get(i).unwrap();
        let g = one.m.lock().unwrap();
        *g + *one.m.lock().unwrap() // found: double-lock
    }
}

fn main() {}
