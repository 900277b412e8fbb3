//! A stack of undo steps; each step frees its pages in the allocator when it goes.
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Pages {
    free: Mutex<Vec<usize>>,
    steps: Mutex<Vec<Step>>,
}

struct Step {
    page: usize,
    pages: Option<Arc<Pages>>,
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(pages) = self.pages.take() {
            pages.free.lock().unwrap().push(self.page); // found: drop-under-lock
        }
    }
}

fn shrink(pages: &Pages, keep: usize) -> usize {
    let free = pages.free.lock().unwrap();
    pages.steps.lock().unwrap().truncate(keep); // found: drop-under-lock
    free.len()
}

fn main() {
    let pages = Arc::new(Pages::default());
    pages.steps.lock().unwrap().push(Step { page: 1, pages: Some(pages.clone()) });
    println!("{}", shrink(&pages, 0));
}
