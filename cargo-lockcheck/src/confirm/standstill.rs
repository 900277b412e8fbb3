//! Sees a process of a run come to a deadlock in which it stands, and says how to look at it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use lockdep::finding::Tier;

use crate::cli::status;
use crate::report::sources::Sources;
use crate::report::wording;
use crate::traces::merge::trace_files;
use crate::traces::trace::{Found, Shared, Trace};

/// How often the traces are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A look at the traces of a run, until it is dropped.
#[derive(Debug)]
pub(super) struct Standstill {
    workspace: PathBuf,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    is_over: AtomicBool,
    was_seen: AtomicBool,
}

impl Standstill {
    /// One of a run in this workspace.
    pub(super) fn new(workspace: PathBuf) -> Standstill {
        Standstill { workspace, state: Arc::default() }
    }

    /// Looks at the traces in this directory from now on. The first deadlock is told on stderr.
    pub(super) fn watch(&self, traces: &Path) {
        let (traces, workspace) = (traces.to_owned(), self.workspace.clone());
        let state = Arc::clone(&self.state);
        let look = move || {
            let sources = Sources::of_workspace(&workspace);
            while !state.is_over.load(Ordering::Relaxed) {
                if let Some((trace, hang)) = hang_in(&traces, &sources) {
                    state.was_seen.store(true, Ordering::Relaxed);
                    tell(&trace, &hang);
                    return;
                }
                thread::sleep(LOOK);
            }
        };
        // Where the system refuses a thread, the process stands there all the same.
        _ = thread::Builder::new().name("standstill".to_owned()).spawn(look);
    }

    /// Whether there was a deadlock.
    pub(super) fn was_seen(&self) -> bool {
        self.state.was_seen.load(Ordering::Relaxed)
    }
}

impl Drop for Standstill {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Relaxed);
    }
}

fn hang_in(traces: &Path, sources: &Sources) -> Option<(Trace, Found)> {
    trace_files(traces, &mut Vec::new()).into_iter().find_map(|path| {
        // What the trace has of orders is not asked for.
        let (mut shared, mut orders) = (Shared::default(), Vec::new());
        let trace = Trace::read(&path, sources, &mut shared, &mut orders).0?;
        let hang =
            trace.findings.iter().find(|it| it.tier == Tier::Happened && !it.waits.is_empty());
        let hang = hang?.clone();
        Some((trace, hang))
    })
}

fn tell(trace: &Trace, hang: &Found) {
    let pid = trace.header.pid;
    status::stage(format_args!("process {pid}, `{}`, stands still:", trace.header.program()));
    for wait in &hang.waits {
        let (thread, place) = (wording::subject(&wait.thread.label), &wait.site);
        anstream::eprintln!("             {thread} waits at {place}:{}", place.column);
    }
    anstream::eprintln!(
        "             gdb -p {pid} -ex 'thread apply all backtrace'\n\
         \x20            lldb -p {pid} -o 'thread backtrace all'\n\
         \x20            Ctrl-C here ends it"
    );
}
