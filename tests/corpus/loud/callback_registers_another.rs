//! A window's event loop: callbacks are stored in the window and called under its lock.
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

type Callback = Box<dyn FnMut(u32) + Send>;

#[derive(Default)]
struct Window {
    callbacks: Mutex<HashMap<&'static str, Callback>>,
    title: Mutex<String>,
}

impl Window {
    fn on(&self, event: &'static str, callback: impl FnMut(u32) + Send + 'static) {
        self.callbacks.lock().unwrap().insert(event, Box::new(callback)); // found: double-lock
    }
    fn dispatch(&self, event: &str, value: u32) {
        if let Some(callback) = self.callbacks.lock().unwrap().get_mut(event) {
            callback(value); // found: double-lock
        }
    }
}

fn main() {
    let window = Arc::new(Window::default());
    let inner = window.clone();
    window.on("click", move |n| {
        *inner.title.lock().unwrap() = format!("clicked {n}");
        inner.on("close", |_| {}); // found: double-lock
    });
    window.dispatch("click", 1);
}
