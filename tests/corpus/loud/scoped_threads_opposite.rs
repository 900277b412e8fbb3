//! Locks of a function, borrowed by the threads of a scope.
use std::sync::Mutex;
use std::thread;

fn main() {
    let cash = Mutex::new(1);
    let debt = Mutex::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            let cash = cash.lock().unwrap();
            *debt.lock().unwrap() += *cash; // found: lock-order
        });
        scope.spawn(|| {
            let debt = debt.lock().unwrap();
            *cash.lock().unwrap() += *debt; // found: lock-order
        });
    });
}
