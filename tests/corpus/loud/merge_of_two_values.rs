//! A value takes in another of its type, each under its own lock.
use std::collections::HashSet;
use std::sync::Mutex;

#[derive(Default)]
pub struct Group {
    members: Mutex<HashSet<u32>>,
}

impl Group {
    pub fn absorb(&self, other: &Group) {
        let mut mine = self.members.lock().unwrap();
        mine.extend(other.members.lock().unwrap().iter()); // found: same-class-nesting
    }
}

fn main() {
    let (a, b) = (Group::default(), Group::default());
    a.absorb(&b);
    b.absorb(&a);
}
