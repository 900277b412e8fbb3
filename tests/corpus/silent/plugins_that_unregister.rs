//! Plugins that unregister their hooks from the host when they go.
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::RwLock;

mod plugins {
    use crate::Host;
    use std::sync::Arc;

    pub trait Plugin: Send + Sync {
        fn weight(&self, event: u32) -> u64;
        fn pinned(&self) -> bool {
            false
        }
    }

    pub struct Counter {
        name: String,
        host: Arc<Host>,
    }

    impl Counter {
        pub fn attach(name: &str, host: Arc<Host>) -> Counter {
            host.hook(name, 1);
            Counter { name: name.to_owned(), host }
        }
    }

    impl Plugin for Counter {
        fn weight(&self, event: u32) -> u64 {
            u64::from(event) * self.name.len() as u64
        }
    }

    impl Drop for Counter {
        fn drop(&mut self) {
            self.host.unhook(&self.name);
        }
    }
}
use plugins::{Counter, Plugin};

#[derive(Default)]
pub struct Host {
    hooks: RwLock<Vec<(String, u32)>>,
    plugins: RwLock<HashMap<String, Box<dyn Plugin>>>,
}

impl Host {
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub fn hook(&self, name: &str, event: u32) {
        self.hooks.write().unwrap().push((name.to_owned(), event));
    }

    pub fn unhook(&self, name: &str) {
        self.hooks.write().unwrap().retain(|(owner, _)| owner != name);
    }

    pub fn load(self: &Arc<Self>, name: &str) {
        let plugin = Counter::attach(name, Arc::clone(self));
        let old = self.plugins.write().unwrap().insert(name.to_owned(), Box::new(plugin));
        drop(old);
    }

    /// Drops the plugins that nobody has hooked an event for.
    pub fn sweep(&self) -> usize {
        let hooks = self.hooks.read().unwrap();
        let mut plugins = self.plugins.write().unwrap();
        let before = plugins.len();
        let idle: Vec<String> = plugins
            .iter()
            .filter(|(name, plugin)| {
                !plugin.pinned() && !hooks.iter().any(|(owner, _)| owner == *name)
            })
            .map(|(name, _)| name.clone())
            .collect();
        let gone: Vec<_> = idle.iter().filter_map(|name| plugins.remove(name)).collect();
        drop(plugins);
        drop(hooks);
        let _ = before;
        gone.len()
    }

    pub fn fire(&self, event: u32) -> u64 {
        let plugins = self.plugins.read().unwrap();
        plugins.values().map(|plugin| plugin.weight(event)).sum()
    }
}

fn main() {
    let host = Host::new();
    host.load("count");
    println!("{} {}", host.fire(3), host.sweep());
}
