//! What a constant condition keeps from being run.
use std::sync::Mutex;

pub struct Pair {
    a: Mutex<u32>,
    b: Mutex<u32>,
}

impl Pair {
    fn there(&self) {
        let a = self.a.lock().unwrap();
        *self.b.lock().unwrap() += *a;
    }

    pub fn back(&self) {
        if !cfg!(any()) {
            return;
        }
        let b = self.b.lock().unwrap();
        *self.a.lock().unwrap() += *b;
    }

    pub fn never(&self) {
        let a = self.a.lock().unwrap();
        if cfg!(any()) {
            self.there();
        }
        if cfg!(any()) && *a > 1 {
            self.there();
        }
        println!("{a}");
    }

    fn only_by_callee(&self) {
        if cfg!(any()) {
            self.there();
        }
    }

    pub fn by_callee(&self) {
        let a = self.a.lock().unwrap();
        self.only_by_callee();
        println!("{a}");
    }

    pub fn released(&self) {
        let a = self.a.lock().unwrap();
        if cfg!(all()) {
            drop(a);
        }
        self.there();
    }
}

fn main() {
    let pair = Pair { a: Mutex::new(1), b: Mutex::new(2) };
    pair.there();
    pair.back();
}
