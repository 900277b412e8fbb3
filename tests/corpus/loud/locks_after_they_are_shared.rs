// The other thread has the value already, or still.
use std::sync::{Arc, Mutex};
use std::thread;

struct Ledger {
    open: Mutex<u32>,
    closed: Mutex<u32>,
}

impl Ledger {
    fn sum(&self) -> u32 {
        let open = self.open.lock().unwrap();
        *open + *self.closed.lock().unwrap()
    }

    fn filled() -> Arc<Ledger> {
        let ledger = Arc::new(Ledger { open: Mutex::new(0), closed: Mutex::new(0) });
        let shared = Arc::clone(&ledger);
        thread::spawn(move || shared.sum());
        {
            let mut closed = ledger.closed.lock().unwrap();
            *closed += *ledger.open.lock().unwrap(); // found: lock-order
        }
        ledger
    }
}

struct Stock {
    here: Mutex<u32>,
    away: Mutex<u32>,
}

fn at_once() {
    let stock = Arc::new(Stock { here: Mutex::new(0), away: Mutex::new(0) });
    let shared = Arc::clone(&stock);
    let count = thread::spawn(move || {
        let here = shared.here.lock().unwrap();
        *here + *shared.away.lock().unwrap()
    });
    {
        let away = stock.away.lock().unwrap();
        println!("{}", *away + *stock.here.lock().unwrap()); // found: lock-order
    }
    println!("{}", count.join().unwrap());
}

struct Pages {
    read: Mutex<u32>,
    written: Mutex<u32>,
}

fn watch<'s>(pages: &'s Pages, scope: &'s thread::Scope<'s, '_>) {
    scope.spawn(|| {
        let read = pages.read.lock().unwrap();
        println!("{}", *read + *pages.written.lock().unwrap());
    });
}

fn watched() {
    let pages = Pages { read: Mutex::new(0), written: Mutex::new(0) };
    thread::scope(|scope| {
        watch(&pages, scope);
        let written = pages.written.lock().unwrap();
        println!("{}", *written + *pages.read.lock().unwrap()); // found: lock-order
    });
}

fn main() {
    Ledger::filled();
    at_once();
    watched();
}
