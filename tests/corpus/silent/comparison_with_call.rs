//! The cured form of `loud/comparison_with_call.rs`: a guard on the left of a comparison lives
//! on while the right is computed.
use std::sync::{Mutex, OnceLock};

struct Limits {
    soft: usize,
}

#[derive(Default)]
pub struct Cache {
    entries: Mutex<Vec<String>>,
    limits: OnceLock<Limits>,
}

impl Cache {
    fn limit(&self) -> usize {
        let guess = self.entries.lock().unwrap().capacity();
        self.limits.get_or_init(|| Limits { soft: guess }).soft
    }

    pub fn add(&self, entry: String) -> bool {
        let limit = self.limit();
        if self.entries.lock().unwrap().len() >= limit {
            return false;
        }
        self.entries.lock().unwrap().push(entry);
        true
    }
}

fn main() {
    println!("{}", Cache::default().add("a".into()));
}
