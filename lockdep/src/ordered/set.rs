//! Several requests as one: tuples of different ones, and vectors of like ones.

use crate::ordered::acquire::{self, Names};
use crate::ordered::key::{Entry, taken_in_order};
use crate::ordered::lockable::Request;

/// Several requests. The locks are taken one at a time into slots, each by its place in the set.
///
/// # Examples
/// A tuple or a vector of requests is a set:
///
/// ```
/// use lockdep::ordered::{Names, RequestLock, RequestRwLock, Set};
/// use lockdep::sync::{Mutex, RwLock};
///
/// fn take<S: Set>(requests: S) -> S::Output {
///     requests.acquire_all(Names::Indexed)
/// }
///
/// let (jobs, limit) = (Mutex::new(1), RwLock::new(8));
/// let (mut jobs, limit) = take((jobs.lock_request(), limit.write_request()));
/// assert!(jobs.is_ok() && limit.is_ok());
/// ```
pub trait Set {
    /// Room for a key and a place for each request.
    type Keys: AsMut<[Entry]>;
    /// For each request, what it gave, or `None`.
    type Slots;
    /// What all requests gave.
    type Output;

    /// The keys and places, in the order of the places.
    fn keys(&self) -> Self::Keys;

    /// Empty slots.
    fn slots(&self) -> Self::Slots;

    /// Waits for the lock at `place`.
    #[track_caller]
    fn acquire(&self, place: usize, slots: &mut Self::Slots);

    /// Takes the lock at `place` if it is free; tells whether it was.
    #[track_caller]
    fn try_acquire(&self, place: usize, slots: &mut Self::Slots) -> bool;

    /// What is in the slots, which must all be filled.
    fn output(slots: Self::Slots) -> Self::Output;

    /// Waits for all locks, in the order of their keys.
    ///
    /// # Panics
    /// If two of the locks are one.
    #[track_caller]
    fn acquire_all(&self, names: Names) -> Self::Output
    where
        Self: Sized,
    {
        acquire::by_keys(self, names)
    }
}

const FILLED: &str = "every lock has been taken";

#[inline]
fn entry(request: &impl Request, place: usize) -> Entry {
    Entry { key: request.order_key(), address: request.address(), place }
}

impl<R: Request> Set for Vec<R> {
    type Keys = Vec<Entry>;
    type Slots = Vec<Option<R::Output>>;
    type Output = Vec<R::Output>;

    fn keys(&self) -> Self::Keys {
        self.iter().enumerate().map(|(place, request)| entry(request, place)).collect()
    }

    fn slots(&self) -> Self::Slots {
        self.iter().map(|_| None).collect()
    }

    #[track_caller]
    fn acquire(&self, place: usize, slots: &mut Self::Slots) {
        slots[place] = Some(self[place].acquire());
    }

    #[track_caller]
    fn try_acquire(&self, place: usize, slots: &mut Self::Slots) -> bool {
        slots[place] = self[place].try_acquire();
        slots[place].is_some()
    }

    fn output(slots: Self::Slots) -> Self::Output {
        slots.into_iter().map(|slot| slot.expect(FILLED)).collect()
    }
}

/// Acquires by a call: an acquisition in each place where it could be made would be much code.
#[inline(never)]
#[track_caller]
fn called<R: Request>(request: &R) -> R::Output {
    request.acquire()
}

/// Two and three locks are by far the most frequent: each order of them is written out, so that the
/// guards need no slots and nothing is sorted. Equal keys, and those that are no quick ones, go the
/// slow path.
macro_rules! each_order {
    ({ $all:tt = $($key:ident $at:tt),+; $acquire:path; $(if $order:expr => $($lock:ident $place:tt),+;)+ }) => {
        // Always: guards that are handed on through memory cost as much as the acquisitions.
        #[inline(always)]
        #[track_caller]
        fn acquire_all(&self, names: Names) -> Self::Output {
            $(let $key = self.$at.quick_key();)+
            if $($key == 0)||+ {
                return acquire::by_keys(self, names);
            }
            taken_in_order([$($key),+].into_iter());
            $(if $order {
                $(let $lock = $acquire(&self.$place);)+
                $all
            } else)+ {
                acquire::by_keys(self, names)
            }
        }
    };
}

macro_rules! tuples {
    ($($count:literal: $($request:ident $place:tt),+ $(=> $orders:tt)?;)+) => {$(
        impl<$($request: Request),+> Set for ($($request,)+) {
            type Keys = [Entry; $count];
            type Slots = ($(Option<$request::Output>,)+);
            type Output = ($($request::Output,)+);

            #[inline]
            fn keys(&self) -> Self::Keys {
                [$(entry(&self.$place, $place)),+]
            }

            #[inline]
            fn slots(&self) -> Self::Slots {
                ($(None::<$request::Output>,)+)
            }

            #[inline]
            #[track_caller]
            fn acquire(&self, place: usize, slots: &mut Self::Slots) {
                match place {
                    $($place => slots.$place = Some(self.$place.acquire()),)+
                    _ => unreachable!("a place is one of the tuple's"),
                }
            }

            #[inline]
            #[track_caller]
            fn try_acquire(&self, place: usize, slots: &mut Self::Slots) -> bool {
                match place {
                    $($place => {
                        slots.$place = self.$place.try_acquire();
                        slots.$place.is_some()
                    })+
                    _ => unreachable!("a place is one of the tuple's"),
                }
            }

            #[inline]
            fn output(slots: Self::Slots) -> Self::Output {
                ($(slots.$place.expect(FILLED),)+)
            }

            $(each_order!($orders);)?
        }
    )+};
}

tuples! {
    1: A 0;
    2: A 0, B 1 => {
        (one, two) = a 0, b 1; Request::acquire;
        if a < b => one 0, two 1;
        if b < a => two 1, one 0;
    };
    3: A 0, B 1, C 2 => {
        (one, two, three) = a 0, b 1, c 2; called;
        if a < b && b < c => one 0, two 1, three 2;
        if b < a && a < c => two 1, one 0, three 2;
        if a < c && c < b => one 0, three 2, two 1;
        if b < c && c < a => two 1, three 2, one 0;
        if c < a && a < b => three 2, one 0, two 1;
        if c < b && b < a => three 2, two 1, one 0;
    };
    4: A 0, B 1, C 2, D 3;
    5: A 0, B 1, C 2, D 3, E 4;
    6: A 0, B 1, C 2, D 3, E 4, F 5;
    7: A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    8: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
    9: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8;
    10: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9;
    11: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10;
    12: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11;
}
