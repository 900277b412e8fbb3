use lockdep::order::LockOrder;
use lockdep::sync::Mutex;

#[derive(LockOrder)]
#[lock_order(accounts < audit)]
#[lock_key(name)]
struct Named {
    name: String,
    accounts: Mutex<u8>,
    audit: Mutex<u8>,
}

#[derive(LockOrder)]
#[lock_order(accounts < audit)]
#[lock_key(number)]
struct Numbered {
    id: u64,
    accounts: Mutex<u8>,
    audit: Mutex<u8>,
}

fn main() {}
