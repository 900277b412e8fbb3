use std::sync::Mutex;

use lockdep::order::LockOrder;
use lockdep::{lock_all, lock_rank};

#[lock_rank(10)]
static REGISTRY: Mutex<u8> = Mutex::new(0);
#[lock_rank(20)]
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

#[derive(Default, LockOrder)]
#[lock_order(accounts < audit)]
struct Bank {
    accounts: Mutex<u8>,
    audit: Mutex<u8>,
}

fn statement(bank: &Bank) -> u8 {
    let audit = bank.audit.lock().unwrap();
    *audit + *bank.accounts.lock().unwrap()
}

fn registered() -> u8 {
    *REGISTRY.lock().unwrap()
}

fn log() {
    let mut log = LOG.lock().unwrap();
    log.push(registered());
}

fn both_in_another_call(cells: &[Mutex<u8>]) {
    let outer = lock_all!(cells[2], cells[3]);
    let inner = lock_all!(cells[1], cells[0]);
    drop((inner, outer));
}

fn main() {
    statement(&Bank::default().in_order());
    log();
    let cells: Vec<Mutex<u8>> = (0..4).map(|n| Mutex::new(n)).collect();
    cells.iter().for_each(|cell| drop(cell.lock()));
    drop(lock_all!(cells[0], cells[3]));
    both_in_another_call(&cells);
}
