//! A thread whose handle is kept in what its own lock protects.
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
#[derive(Default)]
struct State {
    beats: u64,
    worker: Option<JoinHandle<()>>,
    stop: bool,
}
#[derive(Clone, Default)]
struct Service(Arc<Mutex<State>>);
impl Service {
    fn beat(&self) -> bool {
        let mut s = self.0.lock().unwrap();
        s.beats += 1;
        !s.stop
    }
    fn start(&self) {
        let this = self.clone();
        let handle = thread::spawn(move || while this.beat() {});
        self.0.lock().unwrap().worker = Some(handle);
    }
    fn stop(&self) -> thread::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.stop = true;
        let worker = state.worker.take();
        drop(state);
        match worker {
            Some(worker) => worker.join(),
            None => Ok(()),
        }
    }
}
fn main() {
    let s = Service::default();
    s.start();
    s.stop().unwrap();
}
