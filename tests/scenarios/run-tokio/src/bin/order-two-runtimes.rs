//! id: order-two-runtimes
//! expect: lock-order reachable
//! note: each thread has a runtime of its own, and the mutexes are shared

use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::Mutex;

static A: Mutex<u32> = Mutex::const_new(1);
static B: Mutex<u32> = Mutex::const_new(2);

fn main() {
    let one = thread::spawn(|| {
        Builder::new_current_thread().build().unwrap().block_on(async {
            let a = A.lock().await;
            *B.lock().await += *a;
        });
    });
    let other = thread::spawn(|| {
        thread::sleep(Duration::from_millis(50));
        Builder::new_current_thread().build().unwrap().block_on(async {
            let b = B.lock().await;
            *A.lock().await += *b;
        });
    });
    one.join().unwrap();
    other.join().unwrap();
}
