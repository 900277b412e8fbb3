//! Without the feature `instrument` everything is there, and works:
//! `cargo test -p lockdep --no-default-features --features macros --test plain`.
#![cfg(not(feature = "instrument"))]

use std::any::TypeId;
use std::thread;
use std::time::Duration;

use lockdep::sync::{AcquireError, Mutex, PermitClaim, Semaphore};

#[test]
fn locks_and_threads_are_those_of_std() {
    assert_eq!(TypeId::of::<Mutex<u8>>(), TypeId::of::<std::sync::Mutex<u8>>());
    let handle: std::thread::JoinHandle<u8> = lockdep::thread::spawn(|| 7);
    assert_eq!(handle.join().expect("it returns"), 7);
}

#[test]
fn a_semaphore_works() {
    let (one, other) = (Semaphore::new(1), Semaphore::new(1));
    for (outer, inner) in [(&one, &other), (&other, &one)] {
        let _outer = outer.acquire().expect("it is free");
        drop(inner.acquire().expect("it is free"));
    }
    let taken = one.acquire().expect("it is free");
    thread::scope(|s| {
        let again = one.acquire_timeout(Duration::from_millis(5));
        assert_eq!(again.err(), Some(AcquireError::NoPermits));
        let waits = s.spawn(|| one.acquire().map(drop));
        drop(taken);
        assert_eq!(waits.join().expect("it ends"), Ok(()));
    });
}

#[test]
fn a_claim_that_is_enforced_holds_threads_apart() {
    let buffers = Semaphore::new(2);
    let _claim = PermitClaim::enforce(&[(&buffers, 2)]).expect("there are two");
    let _one = buffers.acquire().expect("it is safe");
    thread::scope(|s| {
        let other = s.spawn(|| {
            let _claim = PermitClaim::enforce(&[(&buffers, 2)]).expect("there are two");
            buffers.try_acquire().err()
        });
        assert_eq!(other.join().expect("it ends"), Some(AcquireError::Unsafe));
    });
    let exceeding = buffers.acquire_many(2).err();
    assert_eq!(exceeding, Some(AcquireError::ExceedsClaim { asked: 2, left: 1 }));
}
