use lockdep::order::LockOrder;
use lockdep::sync::Mutex;

#[derive(LockOrder)]
#[lock_order(accounts < audits)]
struct Bank {
    accounts: Mutex<u8>,
    audit: Mutex<u8>,
}

#[derive(LockOrder)]
#[lock_rank(1)]
struct Ranked {
    accounts: Mutex<u8>,
}

#[derive(LockOrder)]
struct Nothing {
    accounts: Mutex<u8>,
}

#[derive(LockOrder)]
#[lock_order(A < B)]
enum Choice {
    A(Mutex<u8>),
    B(Mutex<u8>),
}

#[derive(LockOrder)]
#[lock_order(accounts, audit)]
struct Commas {
    accounts: Mutex<u8>,
    audit: Mutex<u8>,
}

#[lockdep::lock_rank(3)]
fn no_lock() {}

fn main() {}
