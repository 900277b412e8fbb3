// Either order is right while no other thread can have the locks: variables that are never given
// away, a value that is still being made, and one whose only other thread has been waited for.
use std::sync::{Arc, Mutex};
use std::thread;

fn alone() {
    let left = Mutex::new(1);
    let right = Mutex::new(2);
    {
        let l = left.lock().unwrap();
        let r = right.lock().unwrap();
        println!("{l} {r}");
    }
    let r = right.lock().unwrap();
    let l = left.lock().unwrap();
    println!("{l} {r}");
}

struct Ledger {
    open: Mutex<u32>,
    closed: Mutex<u32>,
}

impl Ledger {
    fn sum(&self) -> u32 {
        let open = self.open.lock().unwrap();
        *open + *self.closed.lock().unwrap()
    }

    fn empty() -> Ledger {
        Ledger { open: Mutex::new(0), closed: Mutex::new(0) }
    }

    fn filled() -> Arc<Ledger> {
        let ledger = Ledger::empty();
        {
            let mut closed = ledger.closed.lock().unwrap();
            *closed += *ledger.open.lock().unwrap();
        }
        println!("{}", ledger.sum());
        Arc::new(ledger)
    }
}

struct Stock {
    here: Mutex<u32>,
    away: Mutex<u32>,
}

fn one_after_the_other() {
    let stock = Arc::new(Stock { here: Mutex::new(0), away: Mutex::new(0) });
    let shared = Arc::clone(&stock);
    let count = thread::spawn(move || {
        let here = shared.here.lock().unwrap();
        *here + *shared.away.lock().unwrap()
    });
    let count = count.join().unwrap();
    let away = stock.away.lock().unwrap();
    println!("{}", count + *away + *stock.here.lock().unwrap());
}

fn main() {
    alone();
    let ledger = Ledger::filled();
    thread::spawn(move || ledger.sum()).join().unwrap();
    one_after_the_other();
}
