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
        *self.loaded.lock().unwrap() = Some(Loaded { at: Instant::now(), text: text.clone() });
        text
    }
    fn fresh(&self) -> Option<String> {
        let loaded = self.loaded.lock().unwrap();
        let l = loaded.as_ref()?;
        (l.at.elapsed() < Duration::from_secs(60)).then(|| l.text.clone())
    }
    fn text(&self) -> String {
        self.fresh().unwrap_or_else(|| self.reload())
    }
}

fn main() {
    println!("{}", Config { loaded: Mutex::new(None) }.text());
}
