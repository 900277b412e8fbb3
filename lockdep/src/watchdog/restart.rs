//! [`Restart`].

use std::time::Duration;
use std::{env, thread};

/// How many restarts there were already, for the process that is started.
const COUNT: &str = "LOCKDEP_RESTARTS";

/// Starts the program anew, with its arguments and environment, in the same process (`exec`).
///
/// Nothing is cleaned up: open files that are not inherited are closed by the system, and
/// destructors do not run. The first restart comes at once; before each further one the process
/// sleeps for the back-off, then for twice that, and so on. After the last attempt it is aborted
/// instead. The count is kept in `LOCKDEP_RESTARTS`.
///
/// Only Unix has `exec`: elsewhere the process is aborted, and its supervisor must start it again.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// use lockdep::watchdog::{Restart, Then, Watchdog};
///
/// let restart = Restart::at_most(3).back_off(Duration::from_secs(5));
/// let watching =
///     Watchdog::new().slow_wait(Duration::from_secs(60)).then(Then::Restart(restart)).start()?;
/// # drop(watching);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Restart {
    attempts: u32,
    back_off: Duration,
}

impl Restart {
    /// At most so many restarts, with a back-off of one second.
    #[must_use]
    pub const fn at_most(attempts: u32) -> Restart {
        Restart { attempts, back_off: Duration::from_secs(1) }
    }

    /// How long to sleep before the second restart.
    #[must_use]
    pub const fn back_off(mut self, first: Duration) -> Restart {
        self.back_off = first;
        self
    }

    /// The sleep before the restart that comes after `done` others; `None` once it is enough.
    fn delay(&self, done: u32) -> Option<Duration> {
        match done {
            _ if done >= self.attempts => None,
            0 => Some(Duration::ZERO),
            _ => Some(self.back_off.saturating_mul(1 << (done - 1).min(16))),
        }
    }

    /// Returns why there was no restart.
    pub(super) fn run(&self) -> String {
        let done = env::var(COUNT).ok().and_then(|count| count.parse().ok()).unwrap_or(0);
        match self.delay(done) {
            None => format!("it was restarted {done} times already"),
            Some(delay) => {
                thread::sleep(delay);
                exec(done + 1)
            }
        }
    }
}

#[cfg(unix)]
fn exec(count: u32) -> String {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    let program = match env::current_exe() {
        Ok(program) => program,
        Err(error) => return format!("its path is not known: {error}"),
    };
    let error =
        Command::new(program).args(env::args_os().skip(1)).env(COUNT, count.to_string()).exec();
    format!("it could not be started again: {error}")
}

#[cfg(not(unix))]
fn exec(_count: u32) -> String {
    "this system has no `exec`".to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Restart;

    #[test]
    fn the_back_off_doubles_until_it_is_enough() {
        let restart = Restart::at_most(4).back_off(Duration::from_secs(3));
        let seconds = |done| restart.delay(done).map(|d| d.as_secs());
        assert_eq!([0, 1, 2, 3, 4].map(seconds), [Some(0), Some(3), Some(6), Some(12), None]);
    }
}
