//! The sources of this crate as text, for `cargo lockcheck`.
//!
//! The command compiles them under the program that it checks, with the compiler of that program.
//! It depends on exactly this version of this crate, so what it compiles is what was published,
//! and it needs neither a checkout nor the network for it. This file is not among them: it is
//! compiled with the feature `sources` alone, which the runtime does not have.

macro_rules! sources {
    ($($path:literal,)*) => {
        [$(($path, include_str!($path)),)*]
    };
}

/// Each file with its path inside of `src/`.
pub const SOURCES: &[(&str, &str)] = &sources! {
    "banker/error.rs",
    "banker/live.rs",
    "banker/mod.rs",
    "banker/queue.rs",
    "banker/reduction.rs",
    "banker/semaphores.rs",
    "banker/state.rs",
    "banker/table.rs",
    "banker/units.rs",
    "banker/watch.rs",
    "config.rs",
    "creation.rs",
    "engine/clock.rs",
    "engine/cover.rs",
    "engine/declared.rs",
    "engine/detector.rs",
    "engine/mod.rs",
    "engine/moment.rs",
    "engine/oracle.rs",
    "engine/order_graph.rs",
    "engine/scenarios.rs",
    "engine/search.rs",
    "engine/wait_graph.rs",
    "finding.rs",
    "hash.rs",
    "identity.rs",
    "instrument.rs",
    "instrument/declared.rs",
    "instrument/event.rs",
    "instrument/threads.rs",
    "learning.rs",
    "lib.rs",
    "livelock.rs",
    "macros.rs",
    "observer.rs",
    "observer/declared.rs",
    "observer/hang.rs",
    "observer/in_order.rs",
    "observer/nesting.rs",
    "observer/sent.rs",
    "observer/starvation.rs",
    "order/declaration.rs",
    "order/level.rs",
    "order/locks.rs",
    "order/mod.rs",
    "order/nested.rs",
    "ordered/acquire.rs",
    "ordered/foreign.rs",
    "ordered/key.rs",
    "ordered/lockable.rs",
    "ordered/mod.rs",
    "ordered/set.rs",
    "parking.rs",
    "parking_lot/condvar.rs",
    "parking_lot/lock_api_0_4.rs",
    "parking_lot/lock_api_0_5.rs",
    "parking_lot/mod.rs",
    "parking_lot/nested.rs",
    "parking_lot/once.rs",
    "parking_lot/places.rs",
    "parking_lot/raw.rs",
    "parking_lot/types.rs",
    "permits.rs",
    "platform/mod.rs",
    "platform/other.rs",
    "platform/unix.rs",
    "process.rs",
    "publishing.rs",
    "record.rs",
    "record/given.rs",
    "record/known.rs",
    "record/stack.rs",
    "record/wait.rs",
    "record/window.rs",
    "snapshot.rs",
    "starvation.rs",
    "spawning.rs",
    "stack.rs",
    "stats.rs",
    "sync/barrier.rs",
    "sync/claims.rs",
    "sync/condvar.rs",
    "sync/held.rs",
    "sync/lazy_lock.rs",
    "sync/mod.rs",
    "sync/mpsc.rs",
    "sync/mutex.rs",
    "sync/once.rs",
    "sync/once_lock.rs",
    "sync/outcome.rs",
    "sync/rwlock.rs",
    "sync/semaphore.rs",
    "thread.rs",
    "thread/builder.rs",
    "thread/handle.rs",
    "thread/park.rs",
    "thread/scoped.rs",
    "timing.rs",
    "trace.rs",
    "waiting.rs",
    "watchdog/heartbeat.rs",
    "watchdog/late.rs",
    "watchdog/mod.rs",
    "watchdog/restart.rs",
    "watchdog/watcher.rs",
    "word.rs",
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::SOURCES;

    fn files(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).expect("the directory is read") {
            let path = entry.expect("the entry is read").path();
            if path.is_dir() { files(&path, found) } else { found.push(path) }
        }
    }

    #[test]
    fn every_file_of_the_crate_is_listed() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = Vec::new();
        files(&src, &mut found);
        let found: BTreeSet<String> = found
            .iter()
            .map(|path| path.strip_prefix(&src).expect("it is inside"))
            .map(|path| path.display().to_string().replace('\\', "/"))
            .filter(|path| path != "sources.rs")
            .collect();
        let listed: BTreeSet<String> = SOURCES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(listed, found, "keep the list in `sources.rs` in step with the files of `src/`");
    }
}
