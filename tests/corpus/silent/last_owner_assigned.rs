//! The cured form of `loud/last_owner_assigned.rs`: the last handle of a value is assigned over
//! under the lock that its `Drop` takes.
use std::sync::{Arc, LazyLock, Mutex};

static RETIRED: LazyLock<Mutex<Vec<u64>>> = LazyLock::new(|| Mutex::new(Vec::new()));
static CURRENT: Mutex<Option<Arc<Epoch>>> = Mutex::new(None);

struct Epoch {
    number: u64,
}

impl Drop for Epoch {
    fn drop(&mut self) {
        let newest = CURRENT.lock().unwrap().as_ref().map(|e| e.number);
        RETIRED.lock().unwrap().push(newest.unwrap_or(self.number));
    }
}

pub fn advance(number: u64) {
    let old = CURRENT.lock().unwrap().replace(Arc::new(Epoch { number }));
    drop(old);
}

fn main() {
    advance(1);
    advance(2);
}
