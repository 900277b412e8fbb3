//! Devices that hold a child, which holds its device: nothing is locked from both sides.
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
        self.pending.lock().unwrap().push(job);
        *self.device.life.lock().unwrap() += 1;
    }
}

impl Device {
    fn poll(&self) {
        let alive = *self.life.lock().unwrap() > 0;
        if alive {
            if let Some(queue) = self.queue.get() {
                queue.submit(0);
            }
        }
    }
}

fn main() {
    let device = Arc::new(Device { life: Mutex::new(1), queue: OnceLock::new() });
    let _ = device.queue.set(Arc::new(Queue { device: device.clone(), pending: Mutex::default() }));
    device.poll();
}
