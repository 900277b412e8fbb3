//! Merges counters into each other by an operator.
use std::ops::AddAssign;
use std::sync::RwLock;

struct Histogram {
    buckets: RwLock<[u64; 4]>,
}

impl AddAssign<&Histogram> for &Histogram {
    fn add_assign(&mut self, other: &Histogram) {
        let mut ours = self.buckets.write().unwrap();
        let theirs = other.buckets.read().unwrap(); // found: same-class-nesting
        for (a, b) in ours.iter_mut().zip(theirs.iter()) {
            *a += b;
        }
    }
}

fn main() {
    let (a, b) = (Histogram { buckets: RwLock::default() }, Histogram { buckets: RwLock::default() });
    std::thread::scope(|s| {
        s.spawn(|| {
            let mut into = &a;
            into += &b;
        });
        s.spawn(|| {
            let mut into = &b;
            into += &a;
        });
    });
}
