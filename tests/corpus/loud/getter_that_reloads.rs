//! A configuration that is reloaded by the getter that finds it stale.
use std::sync::Mutex;
use std::time::{Duration, Instant};

struct Loaded {
    at: Instant,
    text: String,
}

struct Config {
    loaded: Mutex<Option<Loaded>>,
}

impl Config {
    fn reload(&self) -> String {
        let text = String::from("a=b");
        *self.loaded.lock().unwrap() = Some(Loaded { at: Instant::now(), text: text.clone() }); // found: double-lock
        text
    }
    fn text(&self) -> String {
        match &*self.loaded.lock().unwrap() {
            Some(l) if l.at.elapsed() < Duration::from_secs(60) => l.text.clone(),
            _ => self.reload(), // found: double-lock
        }
    }
}

fn main() {
    println!("{}", Config { loaded: Mutex::new(None) }.text());
}
