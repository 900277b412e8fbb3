use lockdep::ordered::lock_slice;
use lockdep::sync::{Mutex, RwLock};

fn main() {
    let (a, number) = (Mutex::new(1), 2_u8);
    let _guards = lockdep::lock_all!(a, number);
    let _guards = lock_slice(&[RwLock::new(1)]);
}
