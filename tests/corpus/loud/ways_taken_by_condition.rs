//! Conditions that are constant one way, or that only begin as a constant.
use std::sync::Mutex;

pub struct One {
    a: Mutex<u32>,
}

impl One {
    fn add(&self) {
        *self.a.lock().unwrap() += 1;
    }

    pub fn always(&self) {
        let a = self.a.lock().unwrap();
        if cfg!(all()) {
            self.add(); // found: double-lock
        }
        println!("{a}");
    }

    pub fn negated(&self) {
        let a = self.a.lock().unwrap();
        if !cfg!(any()) {
            self.add(); // found: double-lock
        }
        println!("{a}");
    }

    pub fn changed(&self, more: bool) {
        let a = self.a.lock().unwrap();
        let mut wanted = false;
        if more {
            wanted = true;
        }
        if wanted {
            self.add(); // found: double-lock
        }
        println!("{a}");
    }

    pub fn changed_by_reference(&self) {
        let a = self.a.lock().unwrap();
        let mut wanted = false;
        ask(&mut wanted);
        if wanted {
            self.add(); // found: double-lock
        }
        println!("{a}");
    }
}

fn ask(wanted: &mut bool) {
    *wanted = std::env::args().count() > 1;
}

fn main() {}
