//! What a waiter looks at is behind another mutex than the one that it waits with.
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
        self.arrived.notify_one(); // found: condvar-unlocked-predicate
    }

    fn fetch(&self) -> String {
        let mut sleep = self.sleep.lock().unwrap();
        loop {
            if let Some(letter) = self.letters.lock().unwrap().pop() {
                return letter;
            }
            sleep = self.arrived.wait(sleep).unwrap();
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
