use lockdep::lock_all;
use lockdep::sync::{Mutex, RwLock};

fn main() {
    let (a, b) = (Mutex::new(1), RwLock::new(2));
    let _guards = lock_all!(a, b);
}
