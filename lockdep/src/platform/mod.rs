//! What this crate needs of the system: the ends of threads and of the process, forks, signals, the clock,
//! stacks, and which threads there are. Other rooms hand function pointers down, so this one knows none.

// With `cfg(lockdep_portable)` it is as on a system that nothing is known of, whatever the system is: so that
// what is compiled there alone is tried here.
#[cfg(all(unix, not(lockdep_portable)))]
pub(crate) use maps::modules;
#[cfg(any(not(unix), lockdep_portable))]
pub(crate) use other::{
    catches_signals, end_process, on_inquiry, on_signal, others_run, prepare_alarm, print, ring,
    sleep, sleeps, watch_thread_end,
};
#[cfg(any(not(any(unix, windows)), lockdep_portable))]
pub(crate) use other::{modules, system_thread, thread_name, watch_process};
#[cfg(all(unix, not(lockdep_portable)))]
pub(crate) use unix::{
    catches_signals, end_process, on_inquiry, on_signal, others_run, prepare_alarm, print, ring,
    sleep, sleeps, system_thread, thread_name, watch_process, watch_thread_end,
};
#[cfg(all(windows, not(lockdep_portable)))]
pub(crate) use windows::{modules, system_thread, thread_name, watch_process};

#[cfg(all(unix, not(lockdep_portable)))]
mod maps;
#[cfg(any(not(unix), lockdep_portable))]
mod other;
#[cfg(all(unix, not(lockdep_portable)))]
mod unix;
#[cfg(all(windows, not(lockdep_portable)))]
mod windows;

pub(crate) mod clock;
pub(crate) mod unwind;

/// What is to be called when something happens to the whole process. None of them may unwind.
#[derive(Clone, Copy)]
#[cfg_attr(
    any(not(unix), lockdep_portable),
    expect(dead_code, reason = "nothing tells of some of these events there")
)]
pub(crate) struct ProcessEvents {
    /// The process ends by itself: `exit`, or the return of `main`.
    pub(crate) exit: fn(),
    /// The calling thread is about to fork the process.
    pub(crate) before_fork: fn(),
    /// It has done so, and this is the parent.
    pub(crate) forked_in_parent: fn(),
    /// It has done so, and this is the child, in which no other thread exists.
    pub(crate) forked_in_child: fn(),
}
