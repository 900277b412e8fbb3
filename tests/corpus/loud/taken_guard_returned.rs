//! A writer that has a guard is finished by value, or only asked for its page.
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
    let writer = Writer::new(page); // found: double-lock
    let page = writer.page();
    let len = page.data.lock().unwrap().len(); // found: double-lock
    drop(writer);
    len
}

fn main() {
    println!("{}", fill(&Page { data: Mutex::default() }));
}
