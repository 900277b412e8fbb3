//! The places of which the process has all the stacks that it keeps, so that a thread which comes to one of
//! them for the first time need not ask for the observer.
//!
//! What it may miss: a place that another one displaces. A thread then asks in vain, which costs it time and
//! nothing else.

use std::panic::Location;
use std::ptr;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use crate::hash::fold;
use crate::model::lock::Site;

/// How many places have room, as a power of two.
const BITS: u32 = 10;

/// Only compared, never followed.
static FAMILIAR: [AtomicPtr<Location<'static>>; 1 << BITS] =
    [const { AtomicPtr::new(ptr::null_mut()) }; 1 << BITS];

fn slot(site: Site) -> &'static AtomicPtr<Location<'static>> {
    let hash = fold(ptr::from_ref(site).addr() as u64, 0x9e37_79b9_7f4a_7c15);
    &FAMILIAR[(hash >> (u64::BITS - BITS)) as usize]
}

/// Whether no more stacks are wanted of this place.
pub(crate) fn is_familiar(site: Site) -> bool {
    ptr::eq(slot(site).load(Relaxed), site)
}

/// No more stacks are wanted of this place.
pub(crate) fn mark_familiar(site: Site) {
    slot(site).store(ptr::from_ref(site).cast_mut(), Relaxed);
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::{is_familiar, mark_familiar};

    #[test]
    fn a_place_is_familiar_once_it_is_marked() {
        let (one, other) = (Location::caller(), Location::caller());
        assert!(!is_familiar(one));
        mark_familiar(one);
        assert!(is_familiar(one) && !is_familiar(other));
    }
}
