//! A guard whose content is matched by reference lives on in the arms.
use std::sync::Mutex;

pub struct Cart {
    items: Mutex<Vec<u32>>,
}

impl Cart {
    fn total(&self) -> u32 {
        self.items.lock().unwrap().iter().sum()
    }
    pub fn describe(&self) -> String {
        match self.items.lock().unwrap().first() { // found: double-lock
            None => "empty".into(),
            Some(first) => format!("{first} of {}", self.total()), // found: double-lock
        }
    }
}

fn main() {
    println!("{}", Cart { items: Mutex::new(vec![1]) }.describe());
}
