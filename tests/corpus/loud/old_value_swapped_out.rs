//! An old value is swapped out of its lock and dropped behind it, or under it.
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
        let mut current = registry.current.lock().unwrap(); // found: drop-under-lock
        *current = new.take(); // found: drop-under-lock
    }
    drop(new);
}

fn main() {
    let registry = Arc::new(Registry::default());
    reload(&registry, "a");
    reload(&registry, "b");
}
