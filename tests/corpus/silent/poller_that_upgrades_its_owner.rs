//! A poller thread that has only what it fills, and the owner joins it when dropped.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

struct Sensor {
    value: Arc<Mutex<i32>>,
    stop: Arc<AtomicBool>,
    poller: Option<JoinHandle<()>>,
}

impl Sensor {
    fn start() -> Arc<Sensor> {
        let value = Arc::new(Mutex::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let (theirs, stopped) = (value.clone(), stop.clone());
        let handle = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                *theirs.lock().unwrap() += 1;
                thread::sleep(Duration::from_millis(1));
            }
        });
        Arc::new(Sensor { value, stop, poller: Some(handle) })
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(handle) = self.poller.take() {
            handle.join().unwrap();
        }
    }
}

fn main() {
    let s = Sensor::start();
    println!("{}", s.value.lock().unwrap());
}
