//! A macro of a module in the same file takes the second lock.
#[macro_use]
mod tools {
    macro_rules! update {
        ($self:ident . $field:ident += $by:expr) => {{
            let by = $by;
            *$self.$field.lock().unwrap() += by;
        }};
    }
}

use std::sync::Mutex;

pub struct Meter {
    count: Mutex<u64>,
    sum: Mutex<u64>,
}

impl Meter {
    pub fn add(&self, amount: u64) {
        let mut count = self.count.lock().unwrap();
        *count += 1;
        update!(self.sum += amount); // found: lock-order
    }
    pub fn scale(&self) {
        let sum = self.sum.lock().unwrap();
        update!(self.count += *sum); // found: lock-order
    }
}

fn main() {
    let meter = Meter { count: Mutex::new(0), sum: Mutex::new(0) };
    std::thread::scope(|s| {
        s.spawn(|| meter.add(3));
        s.spawn(|| meter.scale());
    });
}
