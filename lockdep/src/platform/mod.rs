//! What the platform must tell: the end of a thread, of the process, a fork, and which threads there
//! are.

#[cfg(unix)]
pub(crate) use unix::{
    catches_signals, on_signal, others_run, prepare_alarm, print, ring, sleep, sleeps,
    system_thread, thread_name, watch_process, watch_thread_end,
};

#[cfg(not(unix))]
pub(crate) use other::{
    catches_signals, on_signal, others_run, prepare_alarm, print, ring, sleep, sleeps,
    system_thread, thread_name, watch_process, watch_thread_end,
};

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;
