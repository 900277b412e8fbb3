use lockdep::order::LockOrder;
use lockdep::sync::Mutex;

#[derive(LockOrder)]
#[lock_order]
struct Order(Mutex<u8>);

#[derive(LockOrder)]
#[lock_order()]
struct NoOrder(Mutex<u8>);

#[derive(LockOrder)]
#[lock_order(() < 0)]
struct NoNames(Mutex<u8>);

#[derive(LockOrder)]
#[lock_order(0 > 1)]
struct OtherSign(Mutex<u8>, Mutex<u8>);

#[derive(LockOrder)]
#[lock_order(0 < 1)]
#[lock_key]
struct Key(Mutex<u8>, Mutex<u8>);

#[derive(LockOrder)]
#[lock_order(0 < 1)]
#[lock_levels]
struct Levels(Mutex<u8>, Mutex<u8>);

#[derive(LockOrder)]
struct Rank(#[lock_rank] Mutex<u8>);

#[derive(LockOrder)]
struct Words(#[lock_rank(first)] Mutex<u8>);

#[derive(LockOrder)]
struct TooGreat(#[lock_rank(9_223_372_036_854_775_808)] Mutex<u8>);

#[derive(LockOrder)]
#[lock_order(crate = 7, 0 < 1)]
struct NoPath(Mutex<u8>, Mutex<u8>);

#[lockdep::lock_rank]
static REGISTRY: Mutex<u8> = Mutex::new(0);

lockdep::lock_order! {}
lockdep::lock_order! { REGISTRY }
lockdep::lock_order! { REGISTRY REGISTRY }

#[lockdep::locks]
fn none() {}

struct Bank {
    accounts: Mutex<u8>,
}

impl Bank {
    #[lockdep::locks(self.accounts)]
    fn with_self(&self) {
        drop(self.accounts.lock());
    }
}

#[lockdep::locks(crate = "lockdep", accounts)]
fn no_path() {}

fn main() {}
