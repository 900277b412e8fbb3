//! The cured form of `loud/swap_two_slots.rs`: two values of one type are locked in one expression.
use std::sync::Mutex;

pub struct Slot {
    value: Mutex<u32>,
}

impl Slot {
    pub fn swap_with(&self, other: &Slot) {
        if std::ptr::eq(self, other) {
            return;
        }
        let (first, second) = if (self as *const Slot) < (other as *const Slot) { (self, other) } else { (other, self) };
        let mut a = first.value.lock().unwrap();
        let mut b = second.value.lock().unwrap();
        std::mem::swap(&mut *a, &mut *b);
    }
}

fn main() {
    let (a, b) = (Slot { value: Mutex::new(1) }, Slot { value: Mutex::new(2) });
    a.swap_with(&b);
}
