//! A crawler: one thread takes pages from a stack of its own.
use std::sync::mpsc::{sync_channel, Receiver};
use std::thread;

struct Page {
    depth: u32,
}

fn crawl(pages: Receiver<Page>) {
    let mut todo = Vec::new();
    while let Ok(page) = pages.recv() {
        todo.push(page);
        while let Some(page) = todo.pop() {
            for _ in 0..3 {
                if page.depth < 4 {
                    todo.push(Page { depth: page.depth + 1 });
                }
            }
        }
    }
}

fn main() {
    let (tx, rx) = sync_channel(8);
    tx.send(Page { depth: 0 }).unwrap();
    let crawler = thread::spawn(move || crawl(rx));
    drop(tx);
    crawler.join().unwrap();
}
