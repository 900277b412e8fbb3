//! A window's event loop: callbacks are stored in the window, and taken out to be called.
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
        self.callbacks.lock().unwrap().insert(event, Box::new(callback));
    }
    fn dispatch(&self, event: &'static str, value: u32) {
        let taken = self.callbacks.lock().unwrap().remove(event);
        if let Some(mut callback) = taken {
            callback(value);
            self.callbacks.lock().unwrap().entry(event).or_insert(callback);
        }
    }
}

fn main() {
    let window = Arc::new(Window::default());
    let inner = window.clone();
    window.on("click", move |n| {
        *inner.title.lock().unwrap() = format!("clicked {n}");
        inner.on("close", |_| {});
    });
    window.dispatch("click", 1);
}
