use lockdep::order::LockOrder;
use lockdep::sync::Mutex;

#[derive(LockOrder)]
struct Rank {
    #[lock_rank(1)]
    #[lock_rank(2)]
    accounts: Mutex<u8>,
}

#[derive(LockOrder)]
#[lock_order(accounts < audit)]
#[lock_key(id)]
#[lock_key(number)]
struct Key {
    id: u64,
    number: u64,
    accounts: Mutex<u8>,
    audit: Mutex<u8>,
}

#[derive(LockOrder)]
#[lock_order(accounts < audit)]
#[lock_levels(levels)]
#[lock_levels(more_levels)]
struct Levels {
    accounts: Mutex<u8>,
    audit: Mutex<u8>,
}

#[lockdep::locks(first, first)]
fn locks() {}

fn main() {}
