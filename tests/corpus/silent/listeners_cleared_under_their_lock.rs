//! An event bus whose listeners deregister when they are dropped.
use std::sync::{Mutex, OnceLock};

trait Listener: Send {
    fn on_event(&mut self, event: &str);
}

#[derive(Default)]
struct Bus {
    listeners: Mutex<Vec<Box<dyn Listener>>>,
    live: Mutex<usize>,
}

static BUS: OnceLock<Bus> = OnceLock::new();

fn bus() -> &'static Bus {
    BUS.get_or_init(Bus::default)
}

struct Counter(usize);

impl Listener for Counter {
    fn on_event(&mut self, _: &str) {
        self.0 += 1;
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        let left = bus().listeners.lock().unwrap().len();
        *bus().live.lock().unwrap() = left;
    }
}

fn reset() {
    let old = std::mem::take(&mut *bus().listeners.lock().unwrap());
    drop(old);
}

fn main() {
    bus().listeners.lock().unwrap().push(Box::new(Counter(0)));
    for l in bus().listeners.lock().unwrap().iter_mut() {
        l.on_event("start");
    }
    reset();
}
