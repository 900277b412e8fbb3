use lockdep::locks;
use lockdep::order::{Level, LockOrder};
use lockdep::sync::Mutex;

#[derive(LockOrder)]
#[lock_order(accounts < audit)]
#[lock_levels(bank_locks)]
struct Bank {
    accounts: Mutex<u8>,
    audit: Mutex<u8>,
}

#[locks(bank_locks::accounts, bank_locks::audit)]
fn transfer(bank: &Bank, level: &mut Level<'_, _>) {
    let mut accounts = level.take(bank_locks::accounts, || bank.accounts.lock().unwrap());
    accounts.level().take(bank_locks::audit, || bank.audit.lock().unwrap());
}

fn with_a_later_lock_held(bank: &Bank) {
    let mut level = Level::unlocked();
    let mut audit = level.take(bank_locks::audit, || bank.audit.lock().unwrap());
    transfer(bank, audit.level());
}

fn while_the_guard_lives(bank: &Bank) {
    let mut level = Level::unlocked();
    let accounts = level.take(bank_locks::accounts, || bank.accounts.lock().unwrap());
    transfer(bank, &mut level);
    drop(accounts);
}

#[locks(bank_locks::audit, bank_locks::accounts)]
fn in_another_order(_: &mut Level<'_, _>) {}

fn main() {}
