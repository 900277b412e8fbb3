//! A poller thread that keeps its owner alive while it works, and the owner joins it when dropped.
use std::sync::{Arc, Mutex, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

struct Sensor {
    value: Mutex<i32>,
    poller: Mutex<Option<JoinHandle<()>>>,
}

impl Sensor {
    fn start() -> Arc<Sensor> {
        let sensor = Arc::new(Sensor { value: Mutex::new(0), poller: Mutex::new(None) });
        let weak: Weak<Sensor> = Arc::downgrade(&sensor);
        let handle = thread::spawn(move || loop {
            let Some(sensor) = weak.upgrade() else { return };
            *sensor.value.lock().unwrap() += 1;
            drop(sensor);
            thread::sleep(Duration::from_millis(1));
        });
        *sensor.poller.lock().unwrap() = Some(handle);
        sensor
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        if let Some(handle) = self.poller.get_mut().unwrap().take() {
            handle.join().unwrap(); // found: join-in-drop
        }
    }
}

fn main() {
    let s = Sensor::start();
    println!("{}", s.value.lock().unwrap());
}
