use std::time::Duration;

fn main() {
    lockdep::lock_all!();
    let _ = lockdep::lock_all_for!();
    let _ = lockdep::lock_all_for!(Duration::ZERO);
}
