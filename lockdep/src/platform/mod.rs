//! What this crate needs of the system: the ends of threads and of the process, forks, signals, the clock,
//! stacks, and which threads there are. Other rooms hand function pointers down, so this one knows none.

#[cfg(not(unix))]
pub(crate) use other::{
    catches_signals, on_inquiry, on_signal, others_run, prepare_alarm, print, ring, sleep, sleeps,
    system_thread, thread_name, watch_process, watch_thread_end,
};
#[cfg(unix)]
pub(crate) use unix::{
    catches_signals, on_inquiry, on_signal, others_run, prepare_alarm, print, ring, sleep, sleeps,
    system_thread, thread_name, watch_process, watch_thread_end,
};

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

pub(crate) mod clock;
pub(crate) mod unwind;

/// What is to be called when something happens to the whole process. None of them may unwind.
#[derive(Clone, Copy)]
#[cfg_attr(not(unix), expect(dead_code, reason = "nothing tells of these events there"))]
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
