//! Merges counters into each other by an operator, through a copy.
use std::ops::AddAssign;
use std::sync::RwLock;

struct Histogram {
    buckets: RwLock<[u64; 4]>,
}

impl AddAssign<&Histogram> for &Histogram {
    fn add_assign(&mut self, other: &Histogram) {
        let theirs = *other.buckets.read().unwrap();
        let mut ours = self.buckets.write().unwrap();
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
