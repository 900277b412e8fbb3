//! Devices that hold a child, which holds its device: the life of both is locked from either side.
use std::sync::{Arc, Mutex, OnceLock};

struct Device {
    life: Mutex<u32>,
    queue: OnceLock<Arc<Queue>>,
}

struct Queue {
    device: Arc<Device>,
    pending: Mutex<Vec<u32>>,
}

impl Queue {
    fn submit(&self, job: u32) {
        let mut pending = self.pending.lock().unwrap();
        pending.push(job);
        *self.device.life.lock().unwrap() += 1; // found: lock-order
    }
}

impl Device {
    fn poll(&self) {
        let life = self.life.lock().unwrap();
        if *life > 0 {
            if let Some(queue) = self.queue.get() {
                queue.submit(0); // found: lock-order
            }
        }
    }
}

fn main() {
    let device = Arc::new(Device { life: Mutex::new(1), queue: OnceLock::new() });
    let _ = device.queue.set(Arc::new(Queue { device: device.clone(), pending: Mutex::default() }));
    device.poll();
}
