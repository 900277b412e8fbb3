//! What some standard libraries have and older ones lack, of all that this crate defines anew.
//!
//! A compiler is asked for each: its probe compiles where the item is there. What it lacks this crate leaves
//! out as well, so that a program finds in the place of `std` just what its compiler's `std` has.

/// An item, or several that came together.
#[derive(Clone, Copy, Debug)]
pub struct StdItem {
    /// The value of the `cfg` `lockdep_std` that says that it is there.
    pub name: &'static str,
    /// The source of a library that uses it.
    pub probe: &'static str,
}

/// All of them; each name is a feature of `std` from before it was stable, where it was one.
pub const STD_ITEMS: &[StdItem] = &[
    StdItem {
        name: "once_wait",
        probe: "pub fn f(o: &std::sync::Once, c: &std::sync::OnceLock<u8>) -> u8 \
                { o.wait(); o.wait_force(); *c.wait() }",
    },
    StdItem {
        name: "rwlock_downgrade",
        probe: "pub fn f(g: std::sync::RwLockWriteGuard<'_, u8>) -> std::sync::RwLockReadGuard<'_, u8> \
                { std::sync::RwLockWriteGuard::downgrade(g) }",
    },
    StdItem {
        name: "lazy_deref_mut",
        probe: "pub fn f(l: &mut std::sync::LazyLock<u8>) -> &mut u8 { &mut *l }",
    },
    StdItem {
        name: "lazy_get",
        probe: "use std::sync::LazyLock; pub fn f(l: &mut LazyLock<u8>) -> bool \
                { LazyLock::get(l).is_some() && LazyLock::get_mut(l).is_some() \
                && *LazyLock::force_mut(l) == 0 }",
    },
    StdItem {
        name: "lazy_from",
        probe: "pub fn f() -> std::sync::LazyLock<u8> { std::sync::LazyLock::from(0) }",
    },
    StdItem { name: "once_default", probe: "pub fn f() -> std::sync::Once { Default::default() }" },
];
