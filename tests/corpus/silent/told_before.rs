//! A thread says that it is done before its locks are taken in the other order.
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
fn main() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let (a2, b2) = (a.clone(), b.clone());
    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        {
            let _b = b2.lock().unwrap();
            let _a = a2.lock().unwrap();
        }
        done.send(()).unwrap();
    });
    is_done.recv().unwrap();
    let _a = a.lock().unwrap();
    let _b = b.lock().unwrap();
}
