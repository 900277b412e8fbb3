//! The cured form of `loud/merge_of_two_values.rs`: a value takes in another of its type, each
//! under its own lock.
use std::collections::HashSet;
use std::sync::Mutex;

#[derive(Default)]
pub struct Group {
    members: Mutex<HashSet<u32>>,
}

impl Group {
    pub fn absorb(&self, other: &Group) {
        let theirs: Vec<u32> = other.members.lock().unwrap().iter().copied().collect();
        self.members.lock().unwrap().extend(theirs);
    }
}

fn main() {
    let (a, b) = (Group::default(), Group::default());
    a.absorb(&b);
    b.absorb(&a);
}
