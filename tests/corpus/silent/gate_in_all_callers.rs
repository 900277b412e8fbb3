// Two private functions lock in opposite orders, but every caller holds a third lock meanwhile.
use std::sync::Mutex;
use std::thread;

pub struct Desk {
    gate: Mutex<()>,
    inbox: Mutex<Vec<u32>>,
    outbox: Mutex<Vec<u32>>,
}

impl Desk {
    pub fn send(&self) {
        let _gate = self.gate.lock().unwrap();
        self.forward();
    }

    pub fn exchange(&self) {
        let _gate = self.gate.lock().unwrap();
        self.swap();
    }

    fn swap(&self) {
        self.forward();
        self.back();
    }

    fn forward(&self) {
        let mut inbox = self.inbox.lock().unwrap();
        self.outbox.lock().unwrap().append(&mut inbox);
    }

    fn back(&self) {
        let mut outbox = self.outbox.lock().unwrap();
        self.inbox.lock().unwrap().append(&mut outbox);
    }
}

fn main() {
    let desk = Desk { gate: Mutex::new(()), inbox: Mutex::default(), outbox: Mutex::default() };
    thread::scope(|scope| {
        scope.spawn(|| desk.send());
        scope.spawn(|| desk.exchange());
    });
}
