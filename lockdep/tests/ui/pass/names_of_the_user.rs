//! What the macros write meets nothing that the user has: no prelude, no names, no lints.

#![no_implicit_prelude]
#![deny(warnings)]
#![forbid(unused_imports, non_camel_case_types, unused_qualifications)]

use ::lockdep::sync::{Mutex, RwLock};

#[derive(::std::fmt::Debug)]
pub struct Ok;
#[derive(::std::fmt::Debug)]
pub struct Err;
#[derive(::std::fmt::Debug)]
pub struct Some;
#[derive(::std::fmt::Debug)]
pub struct None;
pub struct Option;
pub struct Result;
pub struct Vec;
pub struct Into;
pub struct Level;
pub mod core {}
pub mod std {}
pub mod lockdep {}
macro_rules! concat {
    () => {};
}
concat!();

#[allow(non_upper_case_globals)]
pub mod constants {
    pub const requests: u8 = 1;
    pub const taken: u8 = 1;
    pub const taken_0: u8 = 1;
    pub const timeout: u8 = 1;
    pub const error: u8 = 1;
    pub const key: u8 = 1;
}
use constants::*;

#[::lockdep::lock_rank(1)]
pub static REGISTRY: Mutex<u8> = Mutex::new(0);
pub static AUDIT: RwLock<u8> = RwLock::new(0);
::lockdep::lock_order! { REGISTRY < AUDIT < <Bank<'static, u8, 2>>.accounts }

#[derive(::lockdep::LockOrder)]
#[lock_order(accounts < (r#match, audit))]
#[lock_key(number)]
#[lock_levels(levels)]
pub struct Bank<'a, T: ?::core::marker::Sized, const N: usize> {
    pub number: u32,
    pub accounts: [Mutex<u8>; N],
    pub r#match: &'a Mutex<u8>,
    pub audit: RwLock<T>,
}

impl<T: ?::core::marker::Sized, const N: usize> Bank<'_, T, N> {
    #[::lockdep::locks(accounts, audit)]
    pub async fn transfer(&self, [from, to]: [usize; 2]) -> ::core::option::Option<u8> {
        let (from, r#match, _audit) = ::lockdep::try_lock_all!(
            self.accounts[from].lock().unwrap(),
            *self.r#match,
            self.audit.read().unwrap(),
        )
        .ok()?;
        drop((self.accounts[to].try_lock(), r#match));
        ::core::option::Option::Some(*from)
    }
}

#[::lockdep::locks(levels::accounts, levels::audit)]
pub fn leveled(level: &mut ::lockdep::order::Level<'_, _>) {
    let mutex = Mutex::new(());
    drop(level.take(levels::accounts, || mutex.lock().unwrap()));
}

fn all(a: &Mutex<u8>, b: &RwLock<u8>) -> u8 {
    let first = *::lockdep::lock_all!(a).0.unwrap();
    let (a, b) = ::lockdep::lock_all!(*a, b.write().unwrap_or_else(|wrong| wrong.into_inner()));
    first + *a.unwrap() + *b
}

fn drop<T>(_: T) {}

fn main() {
    let extra = Mutex::new(2);
    let bank = Bank {
        number: 7,
        accounts: [const { Mutex::new(1) }; 2],
        r#match: &extra,
        audit: RwLock::new(3_u8),
    };
    ::lockdep::LockOrder::place_locks(&bank);
    let mut transfer = ::core::pin::pin!(bank.transfer([0, 1]));
    let waker = ::core::task::Waker::noop();
    let mut context = ::core::task::Context::from_waker(&waker);
    let ready = ::core::future::Future::poll(transfer.as_mut(), &mut context);
    ::core::assert!(ready == ::core::task::Poll::Ready(::core::option::Option::Some(1)));
    leveled(&mut ::lockdep::order::Level::unlocked());
    ::core::assert_eq!(all(&extra, &bank.audit), 2 + 2 + 3);
    let (one, other) = ::lockdep::lock_all_unique!(extra.lock().unwrap(), extra);
    ::core::assert!(*one.unwrap() == 2 && other.is_none());
    let seconds = ::core::time::Duration::from_secs;
    ::core::assert!(::lockdep::lock_all_for!(seconds(60), extra, bank.audit.read()).is_ok());
    drop(::lockdep::lock_all_backoff!(extra, bank.audit.read()));
    ::lockdep::assert_not_held!(extra);
    ::lockdep::might_lock!(bank.audit);
    ::core::assert!(::lockdep::findings().is_empty());
    ::core::assert_eq!(requests + taken, taken_0 + key);
    ::core::assert_eq!(timeout, error);
}
