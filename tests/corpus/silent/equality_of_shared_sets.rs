//! The cured form of `loud/equality_of_shared_sets.rs`: two values are compared, each under its
//! own lock, in the order in which they are written.
use std::collections::BTreeSet;
use std::sync::{Arc, RwLock};

#[derive(Clone, Default)]
pub struct Tags(Arc<RwLock<BTreeSet<String>>>);

impl PartialEq for Tags {
    fn eq(&self, other: &Tags) -> bool {
        let mine = self.0.read().unwrap().clone();
        mine == *other.0.read().unwrap()
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
