//! Two values are compared, each under its own lock, in the order in which they are written.
use std::collections::BTreeSet;
use std::sync::{Arc, RwLock};

#[derive(Clone, Default)]
pub struct Tags(Arc<RwLock<BTreeSet<String>>>);

impl PartialEq for Tags {
    fn eq(&self, other: &Tags) -> bool {
        *self.0.read().unwrap() == *other.0.read().unwrap() // found: same-class-nesting
    }
}

impl Tags {
    pub fn add(&self, tag: &str) {
        self.0.write().unwrap().insert(tag.to_owned());
    }
}

fn main() {
    let tags = Tags::default();
    tags.add("x");
    println!("{}", tags == tags.clone());
}
