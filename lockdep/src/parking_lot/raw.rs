//! [`RawMutex`] and [`RawRwLock`]: any raw lock of `lock_api`, with its acquisitions recorded.
//!
//! The traits of `lock_api` 0.4 and 0.5 have the same methods in two shapes: 0.5 hands out a guard
//! value where 0.4 says `()`, and takes it back as an argument. `raw_locks!` writes the methods
//! once; what differs is its argument.
//!
//! A raw lock is made by a constant, which has no place. `lock_api`'s `new` may write the place of
//! its caller into the copy that it makes (the constant `created` says where); otherwise the lock
//! belongs to the class of the place that uses it first. Such a `lock_api` also calls the methods
//! `lockcheck_…` where it would otherwise acquire a lock for its caller from within a closure.

macro_rules! raw_locks {
    (
        // The associated constant that says where a raw lock keeps its place of creation.
        created: $(#[$if:meta] $created:ident)?,
        // The function that makes a `lock_api::Mutex` of a raw lock.
        from_raw: $from_raw:ident,
        // The associated types of the traits.
        types: [$($mutex_type:ident),*] [$($rwlock_type:ident),*] [$($upgrade_type:ident),*],
        // For each kind of hold: what an acquisition returns, what an attempt returns, and the
        // argument that takes the hold back.
        guard: $Guard:ty, $TryGuard:ty, ($($guard:ident: $GuardArg:ty)?),
        shared: $Shared:ty, $TryShared:ty, ($($shared:ident: $SharedArg:ty)?),
        exclusive: $Exclusive:ty, $TryExclusive:ty, ($($exclusive:ident: $ExclusiveArg:ty)?),
        upgradable: $Upgradable:ty, $TryUpgradable:ty, ($($upgradable:ident: $UpgradableArg:ty)?),
        // What an attempted upgrade returns.
        upgrade: $Upgrade:ty,
    ) => {
        /// A raw mutex of `lock_api`, with its acquisitions recorded.
        pub struct RawMutex<R> {
            tag: LockTag,
            lock: lock_api::Mutex<R, ()>,
        }

        impl<R: lock_api::RawMutex> RawMutex<R> {
            pub(super) const TYPE: &'static LockType =
                &LockType::of::<()>(LockKind::Mutex)$(.marked::<R::$mutex_type>())*;

            #[inline(always)]
            fn raw(&self) -> &R {
                // SAFETY: a raw lock may be used as its own contract says, which is passed on.
                unsafe { self.lock.raw() }
            }

            #[inline]
            #[track_caller]
            pub(super) fn lock_at(&self, level: u8, site: Site) -> $Guard {
                let (attempt, block) = (|| attempt(self.raw().try_lock()), || self.raw().lock());
                self.tag.acquire_nested(Self::TYPE, Mode::Write, level, site, attempt, block)
            }

            #[inline]
            #[track_caller]
            fn try_lock_at(
                &self,
                site: Site,
                try_lock: impl FnOnce(&R) -> $TryGuard,
            ) -> $TryGuard {
                let attempt = || attempt(try_lock(self.raw()));
                outcome(self.tag.try_acquire(Self::TYPE, Mode::Write, site, attempt))
            }
        }

        // The cell in `lock` has nothing in it.
        impl<R: RefUnwindSafe> RefUnwindSafe for RawMutex<R> {}

        impl<R> fmt::Debug for RawMutex<R> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("RawMutex").finish_non_exhaustive()
            }
        }

        // SAFETY: every step is one of `R`, which excludes as it must.
        unsafe impl<R: lock_api::RawMutex> lock_api::RawMutex for RawMutex<R> {
            const INIT: Self = RawMutex {
                tag: LockTag::unplaced(),
                lock: lock_api::Mutex::$from_raw(R::INIT, ()),
            };

            $(
                #[$if]
                const $created: Option<usize> =
                    Some(std::mem::offset_of!(Self, tag) + LockTag::CREATED);
            )?

            $(type $mutex_type = R::$mutex_type;)*

            #[inline]
            #[track_caller]
            fn lock(&self) -> $Guard {
                self.lock_at(0, Location::caller())
            }

            #[inline]
            #[track_caller]
            fn try_lock(&self) -> $TryGuard {
                self.try_lock_at(Location::caller(), R::try_lock)
            }

            $(
                #[$if]
                #[track_caller]
                fn lockcheck_lock(&self, site: Site) -> $Guard {
                    self.lock_at(0, site)
                }

                #[$if]
                #[track_caller]
                fn lockcheck_try_lock(&self, site: Site) -> $TryGuard {
                    self.try_lock_at(site, R::try_lock)
                }
            )?

            #[inline]
            unsafe fn unlock(&self $(, $guard: $GuardArg)?) {
                self.tag.release(Mode::Write);
                // SAFETY: the caller holds the lock.
                unsafe { self.raw().unlock($($guard)?) };
            }

            #[inline]
            fn is_locked(&self) -> bool {
                self.raw().is_locked()
            }
        }

        // SAFETY: as above.
        unsafe impl<R: lock_api::RawMutexFair> lock_api::RawMutexFair for RawMutex<R> {
            #[inline]
            unsafe fn unlock_fair(&self $(, $guard: $GuardArg)?) {
                self.tag.release(Mode::Write);
                // SAFETY: the caller holds the lock.
                unsafe { self.raw().unlock_fair($($guard)?) };
            }

            #[inline]
            #[track_caller]
            unsafe fn bump(&self $(, $guard: &mut $GuardArg)?) {
                self.tag.bump(Self::TYPE, Mode::Write, Location::caller(), || {
                    // SAFETY: the caller holds the lock.
                    unsafe { self.raw().bump($($guard)?) }
                });
            }
        }

        // SAFETY: as above.
        unsafe impl<R: lock_api::RawMutexTimed> lock_api::RawMutexTimed for RawMutex<R> {
            type Duration = R::Duration;
            type Instant = R::Instant;

            #[inline]
            #[track_caller]
            fn try_lock_for(&self, timeout: R::Duration) -> $TryGuard {
                self.try_lock_at(Location::caller(), |raw| raw.try_lock_for(timeout))
            }

            #[inline]
            #[track_caller]
            fn try_lock_until(&self, timeout: R::Instant) -> $TryGuard {
                self.try_lock_at(Location::caller(), |raw| raw.try_lock_until(timeout))
            }

            $(
                #[$if]
                #[track_caller]
                fn lockcheck_try_lock_for(&self, site: Site, timeout: R::Duration) -> $TryGuard {
                    self.try_lock_at(site, |raw| raw.try_lock_for(timeout))
                }

                #[$if]
                #[track_caller]
                fn lockcheck_try_lock_until(&self, site: Site, timeout: R::Instant) -> $TryGuard {
                    self.try_lock_at(site, |raw| raw.try_lock_until(timeout))
                }
            )?
        }

        /// A raw reader-writer lock of `lock_api`, with its acquisitions recorded. `RECURSIVE` when
        /// its readers never queue behind a writer.
        pub struct RawRwLock<R, const RECURSIVE: bool = false> {
            tag: LockTag,
            raw: R,
        }

        impl<R, const RECURSIVE: bool> RawRwLock<R, RECURSIVE> {
            const READ: Mode = if RECURSIVE { Mode::RecursiveRead } else { Mode::Read };
        }

        impl<R: lock_api::RawRwLock, const RECURSIVE: bool> RawRwLock<R, RECURSIVE> {
            pub(super) const TYPE: &'static LockType =
                &LockType::of::<()>(LockKind::RwLock)$(.marked::<R::$rwlock_type>())*;

            #[inline]
            #[track_caller]
            pub(super) fn lock_shared_at(&self, level: u8, site: Site) -> $Shared {
                self.tag.acquire_nested(
                    Self::TYPE,
                    Self::READ, level,
                    site,
                    || attempt(self.raw.try_lock_shared()),
                    || self.raw.lock_shared(),
                )
            }

            #[inline]
            #[track_caller]
            pub(super) fn lock_exclusive_at(&self, level: u8, site: Site) -> $Exclusive {
                self.tag.acquire_nested(
                    Self::TYPE,
                    Mode::Write, level,
                    site,
                    || attempt(self.raw.try_lock_exclusive()),
                    || self.raw.lock_exclusive(),
                )
            }
        }

        impl<R: lock_api::RawRwLockUpgrade, const RECURSIVE: bool> RawRwLock<R, RECURSIVE> {
            #[inline]
            #[track_caller]
            pub(super) fn lock_upgradable_at(&self, level: u8, site: Site) -> $Upgradable {
                self.tag.acquire_nested(
                    Self::TYPE,
                    Mode::Upgradable, level,
                    site,
                    || attempt(self.raw.try_lock_upgradable()),
                    || self.raw.lock_upgradable(),
                )
            }
        }

        impl<R, const RECURSIVE: bool> fmt::Debug for RawRwLock<R, RECURSIVE> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("RawRwLock").finish_non_exhaustive()
            }
        }

        // SAFETY: every step is one of `R`, which excludes as it must.
        unsafe impl<R: lock_api::RawRwLock, const RECURSIVE: bool> lock_api::RawRwLock
            for RawRwLock<R, RECURSIVE>
        {
            const INIT: Self = RawRwLock { tag: LockTag::unplaced(), raw: R::INIT };

            $(
                #[$if]
                const $created: Option<usize> =
                    Some(std::mem::offset_of!(Self, tag) + LockTag::CREATED);
            )?

            $(type $rwlock_type = R::$rwlock_type;)*

            #[inline]
            #[track_caller]
            fn lock_shared(&self) -> $Shared {
                self.lock_shared_at(0, Location::caller())
            }

            $(
                #[$if]
                #[track_caller]
                fn lockcheck_lock_shared(&self, site: Site) -> $Shared {
                    self.lock_shared_at(0, site)
                }
            )?

            #[inline]
            #[track_caller]
            fn try_lock_shared(&self) -> $TryShared {
                outcome(self.tag.try_acquire(Self::TYPE, Self::READ, Location::caller(), || {
                    attempt(self.raw.try_lock_shared())
                }))
            }

            #[inline]
            unsafe fn unlock_shared(&self $(, $shared: $SharedArg)?) {
                self.tag.release(Mode::Read);
                // SAFETY: the caller holds the lock so.
                unsafe { self.raw.unlock_shared($($shared)?) };
            }

            #[inline]
            #[track_caller]
            fn lock_exclusive(&self) -> $Exclusive {
                self.lock_exclusive_at(0, Location::caller())
            }

            $(
                #[$if]
                #[track_caller]
                fn lockcheck_lock_exclusive(&self, site: Site) -> $Exclusive {
                    self.lock_exclusive_at(0, site)
                }
            )?

            #[inline]
            #[track_caller]
            fn try_lock_exclusive(&self) -> $TryExclusive {
                outcome(self.tag.try_acquire(Self::TYPE, Mode::Write, Location::caller(), || {
                    attempt(self.raw.try_lock_exclusive())
                }))
            }

            #[inline]
            unsafe fn unlock_exclusive(&self $(, $exclusive: $ExclusiveArg)?) {
                self.tag.release(Mode::Write);
                // SAFETY: the caller holds the lock so.
                unsafe { self.raw.unlock_exclusive($($exclusive)?) };
            }

            #[inline]
            fn is_locked(&self) -> bool {
                self.raw.is_locked()
            }

            #[inline]
            fn is_locked_exclusive(&self) -> bool {
                self.raw.is_locked_exclusive()
            }
        }

        // SAFETY: as above.
        unsafe impl<R: lock_api::RawRwLockFair, const RECURSIVE: bool> lock_api::RawRwLockFair
            for RawRwLock<R, RECURSIVE>
        {
            #[inline]
            unsafe fn unlock_shared_fair(&self $(, $shared: $SharedArg)?) {
                self.tag.release(Mode::Read);
                // SAFETY: the caller holds the lock so.
                unsafe { self.raw.unlock_shared_fair($($shared)?) };
            }

            #[inline]
            unsafe fn unlock_exclusive_fair(&self $(, $exclusive: $ExclusiveArg)?) {
                self.tag.release(Mode::Write);
                // SAFETY: the caller holds the lock so.
                unsafe { self.raw.unlock_exclusive_fair($($exclusive)?) };
            }

            #[inline]
            #[track_caller]
            unsafe fn bump_shared(&self $(, $shared: &mut $SharedArg)?) {
                self.tag.bump(Self::TYPE, Self::READ, Location::caller(), || {
                    // SAFETY: the caller holds the lock so.
                    unsafe { self.raw.bump_shared($($shared)?) }
                });
            }

            #[inline]
            #[track_caller]
            unsafe fn bump_exclusive(&self $(, $exclusive: &mut $ExclusiveArg)?) {
                self.tag.bump(Self::TYPE, Mode::Write, Location::caller(), || {
                    // SAFETY: the caller holds the lock so.
                    unsafe { self.raw.bump_exclusive($($exclusive)?) }
                });
            }
        }

        // SAFETY: as above.
        unsafe impl<R: lock_api::RawRwLockDowngrade, const RECURSIVE: bool>
            lock_api::RawRwLockDowngrade for RawRwLock<R, RECURSIVE>
        {
            #[inline]
            #[track_caller]
            unsafe fn downgrade(&self $(, $exclusive: $ExclusiveArg)?) -> $Shared {
                self.tag.downgrade(Self::TYPE, Conversion { from: Mode::Write, to: Self::READ }, Location::caller(), || {
                    // SAFETY: the caller holds the lock so.
                    unsafe { self.raw.downgrade($($exclusive)?) }
                })
            }
        }

        // SAFETY: as above.
        unsafe impl<R: lock_api::RawRwLockTimed, const RECURSIVE: bool> lock_api::RawRwLockTimed
            for RawRwLock<R, RECURSIVE>
        {
            type Duration = R::Duration;
            type Instant = R::Instant;

            #[inline]
            #[track_caller]
            fn try_lock_shared_for(&self, timeout: R::Duration) -> $TryShared {
                outcome(self.tag.try_acquire(Self::TYPE, Self::READ, Location::caller(), || {
                    attempt(self.raw.try_lock_shared_for(timeout))
                }))
            }

            #[inline]
            #[track_caller]
            fn try_lock_shared_until(&self, timeout: R::Instant) -> $TryShared {
                outcome(self.tag.try_acquire(Self::TYPE, Self::READ, Location::caller(), || {
                    attempt(self.raw.try_lock_shared_until(timeout))
                }))
            }

            #[inline]
            #[track_caller]
            fn try_lock_exclusive_for(&self, timeout: R::Duration) -> $TryExclusive {
                outcome(self.tag.try_acquire(Self::TYPE, Mode::Write, Location::caller(), || {
                    attempt(self.raw.try_lock_exclusive_for(timeout))
                }))
            }

            #[inline]
            #[track_caller]
            fn try_lock_exclusive_until(&self, timeout: R::Instant) -> $TryExclusive {
                outcome(self.tag.try_acquire(Self::TYPE, Mode::Write, Location::caller(), || {
                    attempt(self.raw.try_lock_exclusive_until(timeout))
                }))
            }
        }

        // SAFETY: as above.
        unsafe impl<R: lock_api::RawRwLockUpgrade, const RECURSIVE: bool>
            lock_api::RawRwLockUpgrade for RawRwLock<R, RECURSIVE>
        {
            $(type $upgrade_type = R::$upgrade_type;)*

            #[inline]
            #[track_caller]
            fn lock_upgradable(&self) -> $Upgradable {
                self.lock_upgradable_at(0, Location::caller())
            }

            $(
                #[$if]
                #[track_caller]
                fn lockcheck_lock_upgradable(&self, site: Site) -> $Upgradable {
                    self.lock_upgradable_at(0, site)
                }
            )?

            #[inline]
            #[track_caller]
            fn try_lock_upgradable(&self) -> $TryUpgradable {
                outcome(self.tag.try_acquire(Self::TYPE, Mode::Upgradable, Location::caller(), || {
                    attempt(self.raw.try_lock_upgradable())
                }))
            }

            #[inline]
            unsafe fn unlock_upgradable(&self $(, $upgradable: $UpgradableArg)?) {
                self.tag.release(Mode::Upgradable);
                // SAFETY: the caller holds the lock so.
                unsafe { self.raw.unlock_upgradable($($upgradable)?) };
            }

            #[inline]
            #[track_caller]
            unsafe fn upgrade(&self $(, $upgradable: $UpgradableArg)?) -> $Exclusive {
                self.tag.upgrade(
                    Self::TYPE,
                    Location::caller(),
                    // SAFETY: the caller holds the lock so.
                    || converted(unsafe { self.raw.try_upgrade($($upgradable)?) }),
                    |_rest| {
                        $(let $upgradable = _rest;)?
                        // SAFETY: as above.
                        unsafe { self.raw.upgrade($($upgradable)?) }
                    },
                )
            }

            #[inline]
            #[track_caller]
            unsafe fn try_upgrade(
                &self
                $(, $upgradable: $UpgradableArg)?
            ) -> $Upgrade {
                let modes = Conversion { from: Mode::Upgradable, to: Mode::Write };
                conversion(self.tag.convert(Self::TYPE, modes, Location::caller(), || {
                    // SAFETY: the caller holds the lock so.
                    converted(unsafe { self.raw.try_upgrade($($upgradable)?) })
                }))
            }
        }

        // SAFETY: as above.
        unsafe impl<R: lock_api::RawRwLockUpgradeFair, const RECURSIVE: bool>
            lock_api::RawRwLockUpgradeFair for RawRwLock<R, RECURSIVE>
        {
            #[inline]
            unsafe fn unlock_upgradable_fair(&self $(, $upgradable: $UpgradableArg)?) {
                self.tag.release(Mode::Upgradable);
                // SAFETY: the caller holds the lock so.
                unsafe { self.raw.unlock_upgradable_fair($($upgradable)?) };
            }

            #[inline]
            #[track_caller]
            unsafe fn bump_upgradable(&self $(, $upgradable: &mut $UpgradableArg)?) {
                self.tag.bump(Self::TYPE, Mode::Upgradable, Location::caller(), || {
                    // SAFETY: the caller holds the lock so.
                    unsafe { self.raw.bump_upgradable($($upgradable)?) }
                });
            }
        }

        // SAFETY: as above.
        unsafe impl<R: lock_api::RawRwLockUpgradeDowngrade, const RECURSIVE: bool>
            lock_api::RawRwLockUpgradeDowngrade for RawRwLock<R, RECURSIVE>
        {
            #[inline]
            #[track_caller]
            unsafe fn downgrade_upgradable(
                &self
                $(, $upgradable: $UpgradableArg)?
            ) -> $Shared {
                let modes = Conversion { from: Mode::Upgradable, to: Self::READ };
                self.tag.downgrade(Self::TYPE, modes, Location::caller(), || {
                    // SAFETY: the caller holds the lock so.
                    unsafe { self.raw.downgrade_upgradable($($upgradable)?) }
                })
            }

            #[inline]
            #[track_caller]
            unsafe fn downgrade_to_upgradable(
                &self
                $(, $exclusive: $ExclusiveArg)?
            ) -> $Upgradable {
                let modes = Conversion { from: Mode::Write, to: Mode::Upgradable };
                self.tag.downgrade(Self::TYPE, modes, Location::caller(), || {
                    // SAFETY: the caller holds the lock so.
                    unsafe { self.raw.downgrade_to_upgradable($($exclusive)?) }
                })
            }
        }

        // SAFETY: as above.
        unsafe impl<R: lock_api::RawRwLockUpgradeTimed, const RECURSIVE: bool>
            lock_api::RawRwLockUpgradeTimed for RawRwLock<R, RECURSIVE>
        {
            #[inline]
            #[track_caller]
            fn try_lock_upgradable_for(&self, timeout: R::Duration) -> $TryUpgradable {
                outcome(self.tag.try_acquire(Self::TYPE, Mode::Upgradable, Location::caller(), || {
                    attempt(self.raw.try_lock_upgradable_for(timeout))
                }))
            }

            #[inline]
            #[track_caller]
            fn try_lock_upgradable_until(&self, timeout: R::Instant) -> $TryUpgradable {
                outcome(self.tag.try_acquire(Self::TYPE, Mode::Upgradable, Location::caller(), || {
                    attempt(self.raw.try_lock_upgradable_until(timeout))
                }))
            }

            #[inline]
            #[track_caller]
            unsafe fn try_upgrade_for(
                &self,
                $($upgradable: $UpgradableArg,)?
                timeout: R::Duration,
            ) -> $Upgrade {
                let modes = Conversion { from: Mode::Upgradable, to: Mode::Write };
                conversion(self.tag.convert(Self::TYPE, modes, Location::caller(), || {
                    // SAFETY: the caller holds the lock so.
                    converted(unsafe { self.raw.try_upgrade_for($($upgradable,)? timeout) })
                }))
            }

            #[inline]
            #[track_caller]
            unsafe fn try_upgrade_until(
                &self,
                $($upgradable: $UpgradableArg,)?
                timeout: R::Instant,
            ) -> $Upgrade {
                let modes = Conversion { from: Mode::Upgradable, to: Mode::Write };
                conversion(self.tag.convert(Self::TYPE, modes, Location::caller(), || {
                    // SAFETY: the caller holds the lock so.
                    converted(unsafe { self.raw.try_upgrade_until($($upgradable,)? timeout) })
                }))
            }
        }
    };
}

pub(super) use raw_locks;
