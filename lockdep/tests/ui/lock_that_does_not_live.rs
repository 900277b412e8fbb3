use std::sync::Arc;

use lockdep::sync::Mutex;

fn find() -> Arc<Mutex<u8>> {
    Arc::new(Mutex::new(1))
}

fn main() {
    let kept = find();
    let _guards = lockdep::lock_all!(kept, find());
}
