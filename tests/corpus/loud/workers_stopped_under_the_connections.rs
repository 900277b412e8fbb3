//! A server that stops its workers under the lock of its connections, which each worker takes last.
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

#[derive(Default)]
struct Shared {
    connections: Mutex<HashSet<u32>>,
}

struct Worker {
    handle: Option<JoinHandle<()>>,
}

impl Worker {
    fn start(id: u32, shared: Arc<Shared>) -> Worker {
        let handle = thread::Builder::new()
            .name(format!("worker-{id}"))
            .spawn(move || {
                serve(id);
                shared.connections.lock().unwrap().remove(&id);
            })
            .unwrap();
        Worker { handle: Some(handle) }
    }
    fn stop(&mut self) {
        if let Some(h) = self.handle.take() {
            h.join().unwrap(); // found: guard-across-blocking
        }
    }
}

fn serve(id: u32) {
    println!("serving {id}");
}

struct Server {
    shared: Arc<Shared>,
    workers: Vec<Worker>,
}

impl Server {
    fn stop(&mut self) -> usize {
        let connections = self.shared.connections.lock().unwrap();
        for w in &mut self.workers {
            w.stop(); // found: guard-across-blocking
        }
        connections.len()
    }
}

fn main() {
    let shared = Arc::new(Shared::default());
    let workers = (0..4).map(|id| Worker::start(id, shared.clone())).collect();
    println!("{}", Server { shared, workers }.stop());
}
