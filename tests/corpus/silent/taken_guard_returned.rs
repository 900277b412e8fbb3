//! The cured form of `loud/taken_guard_returned.rs`: a writer that has a guard is finished by
//! value, or only asked for its page.
use std::sync::{Mutex, MutexGuard};

pub struct Page {
    data: Mutex<Vec<u8>>,
}

pub struct Writer<'p> {
    page: &'p Page,
    guard: MutexGuard<'p, Vec<u8>>,
}

impl<'p> Writer<'p> {
    fn new(page: &'p Page) -> Self {
        Writer { page, guard: page.data.lock().unwrap() }
    }
    fn finish(mut self) -> &'p Page {
        self.guard.push(0);
        self.page
    }
    fn page(&self) -> &'p Page {
        self.page
    }
}

pub fn fill(page: &Page) -> usize {
    let writer = Writer::new(page);
    let page = writer.finish();
    page.data.lock().unwrap().len()
}

fn main() {
    println!("{}", fill(&Page { data: Mutex::default() }));
}
