//! An inbox that looks for items, and waits for more under a lock that it takes after that.
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::{Condvar, Mutex};
#[derive(Default)]
struct Inbox {
    items: Mutex<VecDeque<u32>>,
    more: Condvar,
}
impl Inbox {
    fn is_empty(&self) -> bool {
        self.items.lock().unwrap().is_empty()
    }
    fn take(&self) -> Option<u32> {
        let mut items = self.items.lock().unwrap();
        while items.is_empty() {
            items = self.more.wait(items).unwrap();
        }
        items.pop_front()
    }
    fn put(&self, item: u32) {
        self.items.lock().unwrap().push_back(item);
        self.more.notify_one();
    }
}
fn main() {
    let inbox = Arc::new(Inbox::default());
    let theirs = inbox.clone();
    let t = std::thread::spawn(move || theirs.take());
    inbox.put(1);
    println!("{:?}", t.join().unwrap());
}
