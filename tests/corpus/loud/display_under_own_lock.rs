//! A value is printed under the lock that its `Display` takes.
use std::fmt;
use std::sync::Mutex;

pub struct Counter {
    name: &'static str,
    value: Mutex<u64>,
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value.lock().unwrap())
    }
}

impl Counter {
    pub fn bump(&self) {
        let mut value = self.value.lock().unwrap(); // found: double-lock
        *value += 1;
        println!("bumped {self}"); // found: double-lock
    }
}

fn main() {
    Counter { name: "hits", value: Mutex::new(0) }.bump();
}
