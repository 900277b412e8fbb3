//! An actor's mailbox that looks, lets go, and then sleeps.
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

#[derive(Default)]
struct Mailbox<M> {
    letters: Mutex<VecDeque<M>>,
    arrived: Condvar,
}

impl<M> Mailbox<M> {
    fn post(&self, letter: M) {
        self.letters.lock().unwrap().push_back(letter);
        self.arrived.notify_one();
    }
    fn is_empty(&self) -> bool {
        self.letters.lock().unwrap().is_empty()
    }
    fn take(&self) -> Option<M> {
        if self.is_empty() {
            let letters = self.letters.lock().unwrap();
            let mut letters = self.arrived.wait(letters).unwrap(); // found: condvar-no-loop
            return letters.pop_front();
        }
        self.letters.lock().unwrap().pop_front()
    }
}

fn main() {
    let mailbox = Arc::new(Mailbox { letters: Mutex::new(VecDeque::new()), arrived: Condvar::new() });
    let actor = {
        let mailbox = mailbox.clone();
        thread::spawn(move || mailbox.take())
    };
    mailbox.post("hello");
    println!("{:?}", actor.join().unwrap());
}
