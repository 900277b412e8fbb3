//! A crawler: one thread takes pages from a bounded channel and puts the links it finds back into it.
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::thread;

struct Page {
    depth: u32,
}

fn crawl(pages: Receiver<Page>, more: SyncSender<Page>) {
    while let Ok(page) = pages.recv() {
        for _ in 0..3 {
            if page.depth < 4 {
                more.send(Page { depth: page.depth + 1 }).unwrap(); // found: stuck-wait
            }
        }
    }
}

fn main() {
    let (tx, rx) = sync_channel(8);
    tx.send(Page { depth: 0 }).unwrap();
    let crawler = thread::spawn(move || crawl(rx, tx));
    crawler.join().unwrap();
}
