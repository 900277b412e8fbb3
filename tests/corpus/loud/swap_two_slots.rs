//! Two values of one type are locked in one expression.
use std::sync::Mutex;

pub struct Slot {
    value: Mutex<u32>,
}

impl Slot {
    pub fn swap_with(&self, other: &Slot) {
        let (mut a, mut b) = (self.value.lock().unwrap(), other.value.lock().unwrap()); // found: same-class-nesting
        std::mem::swap(&mut *a, &mut *b);
    }
}

fn main() {
    let (a, b) = (Slot { value: Mutex::new(1) }, Slot { value: Mutex::new(2) });
    a.swap_with(&b);
}
