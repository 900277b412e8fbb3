//! `docs/cost.md` says how large each type is; this compares it with what the compiler says.

use std::mem::size_of;
use std::path::Path;
use std::{fs, sync};

use lockdep::sync as watched;

/// Each type's name, its size in the standard library or `parking_lot`, and its size here, in bytes.
fn sizes() -> Vec<(&'static str, usize, usize)> {
    macro_rules! sizes {
        ($($name:literal $theirs:ty, $ours:ty;)*) => {
            vec![$(($name, size_of::<$theirs>(), size_of::<$ours>()),)*]
        };
    }
    sizes! {
        "Mutex<u64>" sync::Mutex<u64>, watched::Mutex<u64>;
        "RwLock<u64>" sync::RwLock<u64>, watched::RwLock<u64>;
        "MutexGuard<u64>" sync::MutexGuard<'_, u64>, watched::MutexGuard<'_, u64>;
        "RwLockReadGuard<u64>" sync::RwLockReadGuard<'_, u64>, watched::RwLockReadGuard<'_, u64>;
        "RwLockWriteGuard<u64>" sync::RwLockWriteGuard<'_, u64>, watched::RwLockWriteGuard<'_, u64>;
        "Condvar" sync::Condvar, watched::Condvar;
        "Barrier" sync::Barrier, watched::Barrier;
        "Once" sync::Once, watched::Once;
        "OnceLock<u64>" sync::OnceLock<u64>, watched::OnceLock<u64>;
        "LazyLock<u64>" sync::LazyLock<u64>, watched::LazyLock<u64>;
        "mpsc::Sender<u64>" sync::mpsc::Sender<u64>, watched::mpsc::Sender<u64>;
        "mpsc::SyncSender<u64>" sync::mpsc::SyncSender<u64>, watched::mpsc::SyncSender<u64>;
        "mpsc::Receiver<u64>" sync::mpsc::Receiver<u64>, watched::mpsc::Receiver<u64>;
        "thread::JoinHandle<()>" std::thread::JoinHandle<()>, lockdep::thread::JoinHandle<()>;
        "parking_lot::Mutex<u64>" parking_lot::Mutex<u64>, lockdep::parking_lot::Mutex<u64>;
        "parking_lot::RwLock<u64>" parking_lot::RwLock<u64>, lockdep::parking_lot::RwLock<u64>;
    }
}

/// The sizes are those of 64-bit Linux, where the standard library has its own.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[test]
fn the_table_has_the_sizes_that_there_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cost.md");
    let document = fs::read_to_string(path).expect("the document");
    let rows =
        sizes().into_iter().map(|(name, theirs, ours)| format!("| `{name}` | {theirs} | {ours} |"));
    let rows: Vec<String> = rows.collect();
    let missing: Vec<&String> = rows.iter().filter(|row| !document.contains(&***row)).collect();
    assert!(missing.is_empty(), "docs/cost.md lacks these rows:\n{}", rows.join("\n"));
}
