//! The return addresses of the calling thread's stack, and the files that they lie in.
//!
//! No names are looked up: an address costs one step of the unwinder that the standard library is linked
//! with anyway. On a system without a known unwinder, a stack is empty.

/// As many return addresses as fit in `addresses`, innermost first; how many there are.
///
/// # Cost
/// Some ten nanoseconds for each frame, and nothing is allocated or locked by this crate.
pub(crate) fn return_addresses(addresses: &mut [usize]) -> usize {
    walk::return_addresses(addresses)
}

/// A file that is mapped into the process as code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Module {
    pub(crate) path: String,
    /// The addresses of the mapping, from the first to the one after the last.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Where in the file the mapping begins, in bytes.
    pub(crate) offset: u64,
    /// The size of the file in bytes, which tells whether a file at this path is still the one; zero where
    /// it is not known.
    pub(crate) size: u64,
    /// When the file was written, in nanoseconds of Unix time, for the same purpose.
    pub(crate) modified: u64,
}

impl Module {
    /// With what tells one file at this path from another.
    #[cfg(all(any(unix, windows), not(lockdep_portable)))]
    pub(super) fn identified(self) -> Module {
        use std::time::{SystemTime, UNIX_EPOCH};

        let Ok(data) = std::fs::metadata(&self.path) else { return self };
        let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok();
        let modified =
            data.modified().ok().and_then(since).map_or(0, |time| time.as_nanos() as u64);
        Module { size: data.len(), modified, ..self }
    }

    /// Whether the address lies in the mapping.
    pub(crate) fn has(&self, address: usize) -> bool {
        (self.start..self.end).contains(&address)
    }
}

#[cfg(all(unix, not(any(miri, target_arch = "arm"))))]
mod walk {
    use std::ffi::{c_int, c_void};

    // The base ABI of exception handling ("Itanium C++ ABI: Exception Handling", level I), which the
    // standard library is linked with.
    unsafe extern "C" {
        fn _Unwind_Backtrace(
            step: unsafe extern "C" fn(context: *mut c_void, walk: *mut c_void) -> c_int,
            walk: *mut c_void,
        ) -> c_int;
        fn _Unwind_GetIP(context: *mut c_void) -> usize;
    }

    /// `_URC_NO_REASON`, which goes on.
    const GO_ON: c_int = 0;
    /// `_URC_END_OF_STACK`, which ends the walk.
    const STOP: c_int = 5;

    struct Walk<'a> {
        addresses: &'a mut [usize],
        taken: usize,
    }

    unsafe extern "C" fn step(context: *mut c_void, walk: *mut c_void) -> c_int {
        // SAFETY: the unwinder hands back what `return_addresses` gave it, which is alive and borrowed by
        // nothing else during the walk.
        let walk = unsafe { &mut *walk.cast::<Walk<'_>>() };
        // SAFETY: the context is the one that the unwinder has called this function with.
        let address = unsafe { _Unwind_GetIP(context) };
        let Some(slot) = walk.addresses.get_mut(walk.taken).filter(|_| address != 0) else {
            return STOP;
        };
        *slot = address;
        walk.taken += 1;
        GO_ON
    }

    pub(super) fn return_addresses(addresses: &mut [usize]) -> usize {
        let mut walk = Walk { addresses, taken: 0 };
        // SAFETY: `step` never unwinds, and what it is given is a `Walk`.
        unsafe { _Unwind_Backtrace(step, (&raw mut walk).cast()) };
        walk.taken
    }
}

#[cfg(windows)]
mod walk {
    use std::ffi::c_void;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn RtlCaptureStackBackTrace(
            skip: u32,
            count: u32,
            addresses: *mut *mut c_void,
            hash: *mut u32,
        ) -> u16;
    }

    pub(super) fn return_addresses(addresses: &mut [usize]) -> usize {
        let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        // SAFETY: there is room for `count` addresses, and a null pointer asks for no hash.
        let taken = unsafe {
            let first = addresses.as_mut_ptr().cast();
            RtlCaptureStackBackTrace(0, count, first, std::ptr::null_mut())
        };
        taken.into()
    }
}

#[cfg(not(any(windows, all(unix, not(any(miri, target_arch = "arm"))))))]
mod walk {
    pub(super) fn return_addresses(_addresses: &mut [usize]) -> usize {
        0
    }
}

#[cfg(test)]
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(any(miri, lockdep_portable))))]
mod tests {
    use super::return_addresses;

    #[test]
    fn a_stack_leads_from_here_to_the_beginning_of_the_thread() {
        let mut addresses = [0; 64];
        let taken = return_addresses(&mut addresses);
        assert!(taken > 3, "{taken}");
        let modules = crate::platform::modules();
        let own = std::env::current_exe().expect("its path").display().to_string();
        let is_own = |address: usize| modules.iter().any(|m| m.path == own && m.has(address));
        assert!(addresses[..3].iter().all(|&address| is_own(address)));
        let mut few = [0; 2];
        assert_eq!(return_addresses(&mut few), 2);
    }
}
