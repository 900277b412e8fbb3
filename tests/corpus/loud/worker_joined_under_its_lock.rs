//! A worker is joined under a lock that it takes in each round.
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

#[derive(Default)]
struct Inner {
    log: Mutex<Vec<String>>,
    stop: Mutex<bool>,
}

pub struct Service {
    inner: Arc<Inner>,
    worker: Option<JoinHandle<()>>,
}

impl Service {
    pub fn start() -> Service {
        let inner = Arc::new(Inner::default());
        let shared = inner.clone();
        let worker = thread::Builder::new().name("worker".into()).spawn(move || {
            while !*shared.stop.lock().unwrap() {
                shared.log.lock().unwrap().push("tick".into());
                thread::yield_now();
            }
        });
        Service { inner, worker: worker.ok() }
    }

    pub fn stop(&mut self) {
        *self.inner.stop.lock().unwrap() = true;
        let mut log = self.inner.log.lock().unwrap();
        log.push("stopping".into());
        if let Some(worker) = self.worker.take() {
            worker.join().unwrap(); // found: wait-while-holding
        }
    }
}

fn main() {
    Service::start().stop();
}
