//! A macro that invokes another takes two locks, in the order of its arguments.
use std::sync::RwLock;

macro_rules! with {
    ($lock:expr, $name:ident => $body:block) => {{
        let mut $name = $lock.write().unwrap();
        $body
        drop($name);
    }};
}

macro_rules! with_both {
    ($a:expr, $b:expr, |$x:ident, $y:ident| $body:block) => {
        with!($a, $x => { with!($b, $y => $body); })
    };
}

#[derive(Default)]
pub struct Desk {
    inbox: RwLock<Vec<u32>>,
    outbox: RwLock<Vec<u32>>,
}

impl Desk {
    pub fn answer(&self) {
        with_both!(self.inbox, self.outbox, |inbox, outbox| { outbox.append(&mut inbox) }); // found: lock-order
    }
    pub fn bounce(&self) {
        with_both!(self.outbox, self.inbox, |outbox, inbox| { inbox.append(&mut outbox) }); // found: lock-order
    }
}

fn main() {
    let desk = Desk::default();
    desk.answer();
    desk.bounce();
}
