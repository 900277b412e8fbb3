//! An actor's mailbox that looks and sleeps under one guard.
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
    fn take(&self) -> Option<M> {
        let letters = self.letters.lock().unwrap();
        let mut letters = self.arrived.wait_while(letters, |l| l.is_empty()).unwrap();
        letters.pop_front()
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
