//! The cured form of `loud/predicate_of_another_mutex.rs`: what a waiter looks at is behind
//! another mutex than the one that it waits with.
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

#[derive(Default)]
struct Mailbox {
    letters: Mutex<Vec<String>>,
    sleep: Mutex<()>,
    arrived: Condvar,
}

impl Mailbox {
    fn post(&self, letter: String) {
        self.letters.lock().unwrap().push(letter);
        self.arrived.notify_one();
    }

    fn fetch(&self) -> String {
        let mut letters = self.letters.lock().unwrap();
        loop {
            if let Some(letter) = letters.pop() {
                return letter;
            }
            letters = self.arrived.wait(letters).unwrap();
        }
    }
}

fn main() {
    let mailbox = Arc::new(Mailbox::default());
    let reader = mailbox.clone();
    let t = thread::spawn(move || reader.fetch());
    mailbox.post("hello".into());
    drop(mailbox.sleep.lock());
    t.join().unwrap();
}
