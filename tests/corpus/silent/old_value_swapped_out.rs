//! The cured form of `loud/old_value_swapped_out.rs`: an old value is swapped out of its lock
//! and dropped behind it, or under it.
use std::sync::{Arc, Mutex};

struct Config {
    name: String,
    registry: Arc<Registry>,
}

#[derive(Default)]
struct Registry {
    current: Mutex<Option<Config>>,
}

impl Drop for Config {
    fn drop(&mut self) {
        let current = self.registry.current.lock().unwrap();
        println!("{} goes, {} stays", self.name, current.is_some());
    }
}

fn reload(registry: &Arc<Registry>, name: &str) {
    let mut new = Some(Config { name: name.to_owned(), registry: registry.clone() });
    {
        let mut current = registry.current.lock().unwrap();
        std::mem::swap(&mut *current, &mut new);
    }
    drop(new);
}

fn main() {
    let registry = Arc::new(Registry::default());
    reload(&registry, "a");
    reload(&registry, "b");
}
