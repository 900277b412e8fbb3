use lockdep::order::LockOrder;
use lockdep::sync::Mutex;

#[derive(LockOrder)]
#[lock_order(accounts < audit < log, log < accounts)]
struct Bank {
    accounts: Mutex<u8>,
    audit: Mutex<u8>,
    log: Mutex<u8>,
}

#[derive(LockOrder)]
#[lock_order(first < second)]
struct Ranked {
    #[lock_rank(20)]
    first: Mutex<u8>,
    #[lock_rank(10)]
    second: Mutex<u8>,
}

#[derive(LockOrder)]
#[lock_order(0 < 0)]
struct Alone(Mutex<u8>);

static REGISTRY: Mutex<u8> = Mutex::new(0);
static AUDIT: Mutex<u8> = Mutex::new(0);

lockdep::lock_order! { REGISTRY < (AUDIT, Bank.audit) < Bank.log < REGISTRY }

fn main() {}
