// What a function is returned by value may be a handle: by a `Deref` of its own, or behind a name for
// an `Arc`.
use std::ops::Deref;
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;

struct Inner {
    keys: Mutex<Vec<u32>>,
    values: Mutex<Vec<u32>>,
}

#[derive(Clone)]
struct Store(Arc<Inner>);

impl Deref for Store {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

static STORE: LazyLock<Store> = LazyLock::new(|| {
    Store(Arc::new(Inner { keys: Mutex::default(), values: Mutex::default() }))
});

fn store() -> Store {
    STORE.clone()
}

fn add(store: &Store) {
    let mut keys = store.keys.lock().unwrap();
    keys.push(1);
    store.values.lock().unwrap().push(1);
}

fn clear() {
    let store = store();
    let mut values = store.values.lock().unwrap();
    values.clear();
    store.keys.lock().unwrap().clear(); // found: lock-order
}

type Shared = Arc<Mutex<u32>>;

#[derive(Clone)]
struct Counts {
    done: Shared,
    left: Shared,
}

struct Work {
    counts: Counts,
}

impl Work {
    fn counts(&self) -> Counts {
        Counts { done: Arc::clone(&self.counts.done), left: Arc::clone(&self.counts.left) }
    }

    fn finish(&self) {
        let mut done = self.counts.done.lock().unwrap();
        *done += 1;
        *self.counts.left.lock().unwrap() -= 1;
    }

    fn undo(&self) {
        let counts = self.counts();
        let mut left = counts.left.lock().unwrap();
        *left += 1;
        *counts.done.lock().unwrap() -= 1; // found: lock-order
    }
}

fn main() {
    let counts = Counts { done: Shared::default(), left: Shared::default() };
    let work = Work { counts };
    thread::scope(|scope| {
        scope.spawn(|| add(&store()));
        scope.spawn(clear);
        scope.spawn(|| work.finish());
        scope.spawn(|| work.undo());
    });
}
