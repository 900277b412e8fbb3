//! The libraries that are measured, behind one trait.

use std::ops::{Deref, DerefMut};

/// A library of locks.
pub trait Contender: 'static {
    type Mutex: Send + Sync;
    type Guard<'a>: DerefMut<Target = u64>;
    type RwLock: Send + Sync;
    type Read<'a>: Deref<Target = u64>;

    fn mutex() -> Self::Mutex;
    fn lock(mutex: &Self::Mutex) -> Self::Guard<'_>;
    fn rwlock() -> Self::RwLock;
    fn read(rwlock: &Self::RwLock) -> Self::Read<'_>;
}

/// A library whose types are called as std's are; `$open` is what its results need.
#[macro_export]
macro_rules! contender {
    ($name:ident, $path:path, $($open:ident)?) => {
        struct $name;

        const _: () = {
            use $path as sync;

            impl $crate::contender::Contender for $name {
                type Mutex = sync::Mutex<u64>;
                type Guard<'a> = sync::MutexGuard<'a, u64>;
                type RwLock = sync::RwLock<u64>;
                type Read<'a> = sync::RwLockReadGuard<'a, u64>;

                #[inline(always)]
                fn mutex() -> Self::Mutex {
                    sync::Mutex::new(0)
                }

                #[inline(always)]
                fn lock(mutex: &Self::Mutex) -> Self::Guard<'_> {
                    mutex.lock()$(.$open())?
                }

                #[inline(always)]
                fn rwlock() -> Self::RwLock {
                    sync::RwLock::new(0)
                }

                #[inline(always)]
                fn read(rwlock: &Self::RwLock) -> Self::Read<'_> {
                    rwlock.read()$(.$open())?
                }
            }
        };
    };
}
