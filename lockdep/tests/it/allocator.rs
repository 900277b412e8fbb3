//! The whole binary allocates under an instrumented lock, so that every test also shows that the
//! engine never needs a lock that waits for the engine.

use std::alloc::{GlobalAlloc, Layout, System};

use lockdep::sync::Mutex;

struct Counting {
    allocations: Mutex<u64>,
    bytes: Mutex<usize>,
}

#[global_allocator]
static ALLOCATOR: Counting = Counting { allocations: Mutex::new(0), bytes: Mutex::new(0) };

// SAFETY: memory comes from the system's allocator; the locks only count.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if let Ok(mut allocations) = self.allocations.lock() {
            *allocations += 1;
            if let Ok(mut bytes) = self.bytes.lock() {
                *bytes += layout.size();
            }
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if let Ok(mut bytes) = self.bytes.lock() {
            *bytes = bytes.wrapping_sub(layout.size());
        }
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) };
    }
}

#[test]
fn the_allocators_locks_count_and_are_not_reported() {
    let before = ALLOCATOR.allocations.lock().map(|n| *n).unwrap_or(0);
    drop(std::hint::black_box(vec![1_u8; 100]));
    assert!(ALLOCATOR.allocations.lock().map(|n| *n).unwrap_or(0) > before);
}
