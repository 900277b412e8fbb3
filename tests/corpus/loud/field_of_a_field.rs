//! A value is dropped under a lock that the `Drop` of one of its fields takes.
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Pool {
    free: Mutex<Vec<u32>>,
}

struct Lease {
    id: u32,
    pool: Arc<Pool>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.free.lock().unwrap().push(self.id);
    }
}

struct Request {
    lease: Lease,
    body: String,
}

struct Server {
    pool: Arc<Pool>,
}

impl Server {
    fn serve(&self, request: Request) {
        let free = self.pool.free.lock().unwrap(); // found: drop-under-lock
        println!("{} {} {}", request.body, request.lease.id, free.len());
        drop(request); // found: drop-under-lock
    }
}

fn main() {
    let pool = Arc::new(Pool::default());
    let lease = Lease { id: 1, pool: pool.clone() };
    Server { pool }.serve(Request { lease, body: "x".into() });
}
