//! The cured form of `loud/while_let_with_handler.rs`: a guard in a `while let` lives on in its
//! block.
use std::collections::VecDeque;
use std::sync::Mutex;

pub struct Bus {
    events: Mutex<VecDeque<u32>>,
}

impl Bus {
    fn handle(&self, event: u32) {
        if event > 1 {
            self.events.lock().unwrap().push_back(event / 2);
        }
    }

    pub fn drain(&self) {
        loop {
            let Some(event) = self.events.lock().unwrap().pop_front() else { break };
            self.handle(event);
        }
    }
}

fn main() {
    Bus { events: Mutex::new(VecDeque::from([8])) }.drain();
}
