use lockdep::order::LockOrder;
use lockdep::sync::Mutex;

#[derive(LockOrder)]
#[lock_order(accounts < total)]
struct Bank {
    accounts: Mutex<u8>,
    total: u64,
}

struct Undeclared {
    accounts: Mutex<u8>,
}

#[derive(LockOrder)]
#[lock_order(first < second)]
struct Declared {
    first: Mutex<u8>,
    second: Mutex<u8>,
    third: Mutex<u8>,
}

static LIMIT: u32 = 7;
static REGISTRY: Mutex<u8> = Mutex::new(0);

lockdep::lock_order! { REGISTRY < LIMIT }
lockdep::lock_order! { REGISTRY < Undeclared.accounts }
lockdep::lock_order! { REGISTRY < Declared.third }

fn main() {}
