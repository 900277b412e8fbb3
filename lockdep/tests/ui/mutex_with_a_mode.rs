use lockdep::lock_all;
use lockdep::sync::Mutex;

fn main() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let _guards = lock_all!(a.lock(), b.write());
}
