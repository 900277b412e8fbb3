//! A pool of buffers that a lease gives back to when it ends.
use std::ops::Deref;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Pool {
    idle: Mutex<Vec<Vec<u8>>>,
}

struct Lease {
    buffer: Vec<u8>,
    pool: Arc<Pool>,
}

impl Deref for Lease {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.idle.lock().unwrap().push(std::mem::take(&mut self.buffer));
    }
}

fn lease(pool: &Arc<Pool>) -> Option<Lease> {
    let buffer = pool.idle.lock().unwrap().pop().unwrap_or_default();
    let lease = Lease { buffer, pool: Arc::clone(pool) };
    if lease.len() > 1024 {
        return None;
    }
    Some(lease)
}

fn main() {
    let pool = Arc::new(Pool::default());
    println!("{}", lease(&pool).is_some());
}
