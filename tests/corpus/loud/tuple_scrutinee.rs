//! A guard in a tuple that is matched lives on in the arms.
use std::sync::Mutex;

pub struct Pairing {
    waiting: Mutex<Option<u32>>,
    matched: Mutex<Vec<(u32, u32)>>,
}

impl Pairing {
    pub fn offer(&self, id: u32) {
        match (self.waiting.lock().unwrap().take(), id) { // found: double-lock
            (Some(other), id) if other != id => self.matched.lock().unwrap().push((other, id)),
            (Some(other), _) => self.put_back(other), // found: double-lock
            (None, id) => self.put_back(id), // found: double-lock
        }
    }
    fn put_back(&self, id: u32) {
        self.waiting.lock().unwrap().replace(id);
    }
}

fn main() {
    Pairing { waiting: Mutex::new(None), matched: Mutex::default() }.offer(4);
}
