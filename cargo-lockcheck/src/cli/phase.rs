//! Long phases of a check: what is done, and how far it is.
//!
//! Each says so in one line, as cargo does. On a terminal a line below it moves while the phase goes on, and
//! is gone with it; in a log there is the one line alone.

use std::fmt::Display;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::status;

/// How much is said beside the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Voice {
    /// Nothing.
    Quiet,
    /// What is done.
    #[default]
    Normal,
    /// How long it took, too.
    Verbose,
}

/// A long phase; it ends when it is dropped.
#[derive(Debug)]
pub struct Phase {
    what: String,
    voice: Voice,
    begun: Instant,
    bar: ProgressBar,
}

/// A terminal shows that a phase goes on this often.
const TICK: Duration = Duration::from_millis(120);

impl Phase {
    /// Begins a phase and says so.
    pub fn begin(what: impl Display, voice: Voice) -> Phase {
        let what = what.to_string();
        let bar = match voice {
            Voice::Quiet => ProgressBar::hidden(),
            _ => {
                status::stage(&what);
                // It draws nothing where stderr is no terminal.
                ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
            }
        };
        bar.set_style(style("             {spinner} {elapsed}"));
        bar.enable_steady_tick(TICK);
        Phase { what, voice, begun: Instant::now(), bar }
    }

    /// Says that it has done so many steps of so many.
    pub fn is_at(&self, done: usize, all: usize) {
        if self.bar.length().is_none() {
            self.bar.set_style(style("             {spinner} {pos} of {len} {elapsed}"));
        }
        self.bar.set_length(all as u64);
        self.bar.set_position(done as u64);
    }
}

impl Drop for Phase {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        if self.voice == Voice::Verbose {
            let took = self.begun.elapsed();
            status::stage(format_args!("{} took {:.1} s", self.what, took.as_secs_f64()));
        }
    }
}

/// A template of this file, which is right.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
