// A type of the program with the name of the library's, which calls a `Once` inside.
use std::cell::UnsafeCell;
use std::sync::Once;

struct OnceLock<T> {
    once: Once,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: The value is written in `call_once` alone, and read after it.
unsafe impl<T: Send + Sync> Sync for OnceLock<T> {}

impl<T> OnceLock<T> {
    const fn new() -> Self {
        OnceLock { once: Once::new(), value: UnsafeCell::new(None) }
    }

    fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        self.set(make);
        // SAFETY: Nothing writes it any more.
        unsafe { (*self.value.get()).as_ref().unwrap() }
    }

    fn set(&self, make: impl FnOnce() -> T) {
        let slot = self.value.get();
        // SAFETY: Only one thread is here, and no one reads the value yet.
        self.once.call_once(|| unsafe { *slot = Some(make()) });
    }
}

static TABLE: OnceLock<Vec<u32>> = OnceLock::new();

fn make() -> Vec<u32> {
    vec![1, 2]
}

fn table() -> &'static [u32] {
    TABLE.get_or_init(make)
}

fn lengths() -> usize {
    static LENGTH: OnceLock<usize> = OnceLock::new();
    *LENGTH.get_or_init(|| table().len())
}

fn main() {
    println!("{} {}", table().len(), lengths());
}
