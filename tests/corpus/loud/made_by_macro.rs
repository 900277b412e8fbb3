//! A macro makes the locks and their accessors.
use std::sync::{Mutex, MutexGuard};

macro_rules! accessor {
    ($owner:ident { $($field:ident / $get:ident : $ty:ty),* $(,)? }) => {
        #[derive(Default)]
        pub struct $owner { $($field: Mutex<$ty>),* }
        impl $owner {
            $(pub fn $get(&self) -> MutexGuard<'_, $ty> { self.$field.lock().unwrap() })*
        }
    };
}

accessor!(Model { name / get_name: String, size / get_size: usize });

impl Model {
    pub fn rename(&self, name: &str) {
        let mut current = self.get_name();
        *self.get_size() = name.len(); // found: lock-order
        *current = name.to_owned();
    }
    pub fn shrink(&self) {
        let mut size = self.get_size();
        self.get_name().clear(); // found: lock-order
        *size = 0;
    }
}

fn main() {
    let model = Model::default();
    model.rename("x");
    model.shrink();
}
