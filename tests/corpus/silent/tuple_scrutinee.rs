//! The cured form of `loud/tuple_scrutinee.rs`: a guard in a tuple that is matched lives on in
//! the arms.
use std::sync::Mutex;

pub struct Pairing {
    waiting: Mutex<Option<u32>>,
    matched: Mutex<Vec<(u32, u32)>>,
}

impl Pairing {
    pub fn offer(&self, id: u32) {
        let other = self.waiting.lock().unwrap().take();
        match (other, id) {
            (Some(other), id) if other != id => self.matched.lock().unwrap().push((other, id)),
            (Some(other), _) => self.put_back(other),
            (None, id) => self.put_back(id),
        }
    }
    fn put_back(&self, id: u32) {
        self.waiting.lock().unwrap().replace(id);
    }
}

fn main() {
    Pairing { waiting: Mutex::new(None), matched: Mutex::default() }.offer(4);
}
