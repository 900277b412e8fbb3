//! The cured form of `loud/set_up_before_spawn.rs`: one order before a thread is started, the
//! other on it.
use std::sync::{Arc, Mutex};
use std::thread;

struct App {
    config: Mutex<Vec<String>>,
    plugins: Mutex<Vec<String>>,
}

impl App {
    fn load(&self) {
        let mut config = self.config.lock().unwrap();
        config.push("a".into());
        self.plugins.lock().unwrap().extend(config.iter().cloned());
    }
    fn refresh(&self) {
        let plugins = self.plugins.lock().unwrap();
        *self.config.lock().unwrap() = plugins.clone();
    }
}

fn main() {
    let app = Arc::new(App { config: Mutex::default(), plugins: Mutex::default() });
    app.load();
    let worker = thread::spawn({
        let app = app.clone();
        move || app.refresh()
    });
    worker.join().unwrap();
}
